"""What is in the image, and what is not."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import msgspec
import pytest

from waterflow_agent import AgentSettings
from waterflow_sdk.wire import NodeTask

from ._compose import read, seconds
from ._contained import USER
from ._image import CANARY, Image

pytestmark = [pytest.mark.slow, pytest.mark.alone]

LARGEST = 150_000_000


class TestImage:
    def test_runs_the_agent_below_an_init_as_a_user_of_its_own(self, image: Image):
        config = image.inspect()["Config"]
        assert (config["User"], config["Entrypoint"], config["StopSignal"], list(config["Volumes"])) == (
            f"{USER}:{USER}",
            ["tini", "--", "waterflow-agent"],
            "SIGTERM",
            ["/var/lib/waterflow"],
        )

    def test_has_no_variables_but_paths(self, image: Image):
        assert image.inspect()["Config"]["Env"] == [
            "PATH=/opt/waterflow/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "WATERFLOW_STATE_DIR=/var/lib/waterflow",
            "WATERFLOW_LOG_DIR=/var/lib/waterflow/logs",
        ]

    def test_says_what_it_is(self, image: Image):
        labels = image.inspect()["Config"]["Labels"]
        assert labels["org.opencontainers.image.title"] == "Waterflow agent"
        assert labels["org.opencontainers.image.licenses"] == "MIT"

    def test_holds_no_key_and_nothing_else_that_lay_beside_the_wheels(self, image: Image, tmp_path: Path):
        saved = tmp_path / "image.tar"
        image.engine.run("save", f"--output={saved}", image.name)
        names, found = files_in_layers(saved, CANARY.encode())
        saved.unlink()
        assert "opt/waterflow/venv/bin/waterflow-agent" in names
        assert found == []
        assert [name for name in names if name.endswith(".whl") and "waterflow" in name] == []

    def test_adds_little_to_its_base(self, image: Image):
        assert image.added < LARGEST


def files_in_layers(saved: Path, wanted: bytes) -> tuple[set[str], list[str]]:
    """Names of all files in the layers of `docker save`, and those that hold ``wanted``, metadata of the image too."""
    names: set[str] = set()
    found: list[str] = []
    with tarfile.open(saved) as image:
        (manifest,) = json.loads(content(image, image.getmember("manifest.json")))
        for member in image:
            if member.name not in manifest["Layers"]:
                found += [member.name] * (wanted in content(image, member))
                continue
            with tarfile.open(fileobj=image.extractfile(member)) as layer:
                for each in layer:
                    names.add(each.name)
                    found += [each.name] * (wanted in content(layer, each))
    return names, found


def content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if member.isfile() else None
    return file.read() if file else b""


class TestSettings:
    def test_come_from_the_environment_and_from_a_file(self, image: Image, tmp_path: Path):
        file = tmp_path / "agent.yaml"
        file.write_text("agent: {server_group: web}\n")
        place = "/etc/waterflow/agent.yaml"
        done = image.run("--env=WATERFLOW_AGENT_NAME=web-01", f"--volume={file}:{place}:ro", image.name, "config")
        assert done.returncode == 0, done.stderr
        assert {
            'name = "web-01"  (environment variable WATERFLOW_AGENT_NAME)',
            f'groups = ["web"]  ({place}:1)',
            'state_dir = "/var/lib/waterflow"  (environment variable WATERFLOW_STATE_DIR)',
        } <= set(done.stdout.splitlines())

    def test_that_cannot_be_used_end_the_container_with_the_agents_exit_code(self, image: Image):
        done = image.run("--env=WATERFLOW_SLOTS=many", image.name)
        message = "error: WATERFLOW_SLOTS: expected a whole number from 1 to 100000, not 'many'\n"
        assert (done.returncode, done.stderr) == (2, message)

    def test_a_key_that_the_agents_user_may_not_read_is_named(self, image: Image, tmp_path: Path):
        keys = tmp_path / "keys.json"
        keys.write_text("{}")
        keys.chmod(0o600)
        done = image.run("--env=WATERFLOW_KEYS_FILE=/keys.json", f"--volume={keys}:/keys.json:ro", image.name)
        assert done.returncode == 2
        assert "Permission denied" in done.stderr


class TestCompose:
    def test_waits_longer_than_the_agent_drains(self, repository: Path):
        service = read(repository / "deployments/container/compose.yaml")
        (kill_grace,) = (field.default for field in msgspec.structs.fields(NodeTask) if field.name == "kill_grace")
        outcomes_logs_and_lease = 30
        needed = AgentSettings().stop_grace + kill_grace + outcomes_logs_and_lease
        assert seconds(service["stop_grace_period"]) > needed
