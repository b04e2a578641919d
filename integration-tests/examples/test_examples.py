"""Every file in `examples/` runs as its first lines say, with nothing but this machine."""

import re
from pathlib import Path

import msgspec
import pytest
from harness import Site
from harness.command import Command, steady

from waterflow_sdk.wire import RunState

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

STARTED = """\
Temporal answers at 127.0.0.1:PORT
The server is ready at http://127.0.0.1:PORT
"""

HELLO = """\
[greet local-1 Say hello] ▶ Say hello
[greet local-1 Say hello] Hello, world!
[greet local-1 Say hello] ✓ Say hello: success
[greet local-1 Show what the first step returned] ▶ Show what the first step returned
[greet local-1 Show what the first step returned] The first step said - Hello, world!
[greet local-1 Show what the first step returned] ✓ Show what the first step returned: success

JOB    HOST     STATE      DURATION  ERROR
greet  local-1  ✓ success  0.0s

outputs of greet:
  greeting: Hello, world!

run RUN (hello-world) ended: success after 0.0s
"""

PIPELINE_END = """\
[release local-1 Release] version 1.2.0 is released
[release local-1 Release] ✓ Release: success

JOB      HOST     STATE      DURATION  ERROR
build    local-1  ✓ success  0.0s
verify   local-1  ✓ success  0.0s
release  local-1  ✓ success  0.0s

outputs of build:
  content: {"site": "shop", "version": "1.2.0"}

outputs of verify:
  status: 200
  version: 1.2.0

run RUN (pipeline) ended: success after 0.0s
"""

SUMMARY = """\
JOB      HOST     STATE      DURATION  ERROR
inspect  local-1  ✓ success  0.0s
inspect  local-2  ✓ success  0.0s
inspect  local-3  ✓ success  0.0s
report   local-N  ✓ success  0.0s

outputs of report:
  table:
    server   result   disk
    local-1  success  N %
    local-2  success  N %
    local-3  success  N %
"""


def first_command(path: Path) -> list[str]:
    """The arguments of the command that the file's comment shows."""
    found = re.search(r"^# +waterflow (run --local .*examples/\S+\.yaml.*)$", path.read_text(), re.MULTILINE)
    assert found, f"{path.name} does not show how it is run"
    return [str(EXAMPLES.parent / word) if word.startswith("examples/") else word for word in found[1].split()]


class TestEveryExample:
    @pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in sorted(EXAMPLES.glob("*.yaml"))])
    def test_is_valid_without_a_warning(self, path: Path, waterflow: Command):
        done = waterflow.run("validate", "--no-server-catalog", str(path))
        assert (done.code, done.stdout, done.stderr) == (0, f"{path}: valid\n", "")

    @pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in sorted(EXAMPLES.glob("*.yaml"))])
    def test_ends_with_exit_code_0_by_the_command_in_its_comment(self, path: Path, waterflow: Command):
        done = waterflow.run(*first_command(path))
        assert done.code == 0, done.stdout + done.stderr


class TestHelloWorld:
    def test_says_hello(self, waterflow: Command):
        done = waterflow.run("run", "--local", str(EXAMPLES / "hello-world.yaml"))
        assert steady(done.stdout) == HELLO
        assert steady(done.stderr) == f"{STARTED}Agents online in the group local: 1\n"

    def test_says_it_to_whom_a_variable_names(self, waterflow: Command):
        done = waterflow.run("run", "--local", "--var", "who=you; id $(id)", str(EXAMPLES / "hello-world.yaml"))
        assert "[greet local-1 Say hello] Hello, you; id $(id)!\n" in done.stdout
        assert "  greeting: Hello, you; id $(id)!\n" in done.stdout


class TestPipeline:
    def test_releases_the_version_that_it_built_and_checked(self, waterflow: Command):
        done = waterflow.run("run", "--local", "--var", "version=1.2.0", str(EXAMPLES / "pipeline.yaml"))
        assert done.code == 0
        assert steady(done.stdout).endswith(PIPELINE_END)

    def test_releases_nothing_where_that_is_switched_off(self, waterflow: Command):
        done = waterflow.run("run", "--local", "--var", "release:=false", str(EXAMPLES / "pipeline.yaml"))
        assert done.code == 0
        assert "is released" not in done.stdout
        assert re.search(r"^release +- skipped +if: .* was false$", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.usefixtures("temporal_binary")
class TestInspection:
    def test_gathers_every_server_into_one_table(self, waterflow: Command):
        file = str(EXAMPLES / "inspection.yaml")
        done = waterflow.run("run", "--local", "--agents", "3", "--group", "servers", file)
        table = done.stdout[done.stdout.index("JOB ") : done.stdout.index("\nrun ")]
        table = re.sub(r"(server .*disk).*|(local-. +success +)\d+ %.*", lambda hit: hit[1] or f"{hit[2]}N %", table)
        assert steady(re.sub(r"(report +local-)\d", r"\1N", table)) == SUMMARY
        assert steady(done.stderr) == f"{STARTED}Agents online in the groups local, servers: 3\n"

    def test_shows_each_host_at_work(self, waterflow: Command):
        file = str(EXAMPLES / "inspection.yaml")
        lines = waterflow.run("run", "--local", "--agents", "3", file).stdout.splitlines()
        for host in ("local-1", "local-2", "local-3"):
            mine = [line.partition("] ")[2] for line in lines if line.startswith(f"[inspect {host} ")]
            marks = [line for line in mine if line[0] in "▶✓"]
            assert marks == [
                "▶ Disk",
                "✓ Disk: success",
                "▶ Memory",
                "✓ Memory: success",
                "▶ Load",
                "✓ Load: success",
            ]
            assert len(mine) == 9

    async def test_is_told_as_json_by_a_server(self, tmp_path: Path):
        async with Site.create(tmp_path, agents=["one", "two"], groups=["servers"]) as site:
            run = await site.client.submit((EXAMPLES / "inspection.yaml").read_text())
            await run.wait(180)
            done = Command(tmp_path / "home").run("status", "--server", site.url, run.id, "-o", "json")
            state = msgspec.json.decode(done.stdout, type=RunState)
            assert (done.code, done.stderr) == (0, "")
            assert [(job.instance, job.agent and job.agent.name) for job in state.jobs[:2]] == [
                ("inspect[one]", "one"),
                ("inspect[two]", "two"),
            ]
            assert set(state.jobs[0].outputs) == {"disk", "free", "load", "total"}
            assert [line.split()[0] for line in state.jobs[2].outputs["table"].splitlines()] == ["server", "one", "two"]
