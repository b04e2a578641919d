"""Settings: every spelling, which source wins, and what a bad one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from waterflow_agent._errors import SettingsError
from waterflow_agent._settings import SETTINGS, Loaded, load
from waterflow_agent._settings._table import IGNORED

FROM_FILE: list[tuple[str, str, Any]] = [
    ("temporal: {address: 't:1'}", "temporal_address", "t:1"),
    ("temporal: {host: 't'}", "temporal_address", "t:7233"),
    ("temporal: {namespace: ops}", "temporal_namespace", "ops"),
    ("temporal: {tls: true}", "temporal_tls", True),
    ("server: {address: 'waterflow:9090'}", "server_address", "waterflow:9090"),
    ("worker: {max_concurrent_activities: 7}", "max_concurrent_activities", 7),
    ("agent: {id: auto-generated}", "id", None),
    ("agent: {id: web-01}", "id", "web-01"),
    ("agent: {name: web-01}", "name", "web-01"),
    ("agent: {server_group: web, additional_groups: [eu, web]}", "groups", ["web", "eu"]),
    ("agent: {tags: [ssd, zone=a]}", "tags", ["ssd", "zone=a"]),
    ("agent: {tags: {zone: a}}", "tags", ["zone=a"]),
    ("agent: {stop_grace: 2m}", "stop_grace", 120.0),
    ("plugins: {dir: /srv/plugins}", "plugin_dir", Path("/srv/plugins")),
    ("plugins: {reload: false}", "plugin_reload", False),
    ("logging: {level: WARNING}", "log_level", "warning"),
    ("logging: {output_path: /srv/logs}", "log_dir", Path("/srv/logs")),
    ("logging: {output: /srv/agent.log, format: json}", "log_output", "/srv/agent.log"),
    ("logging: {max_size: 5MB}", "log_max_bytes", 5 * 1024 * 1024),
    ("nodes: {docker_socket: /run/user/1000/docker.sock}", "docker_socket", Path("/run/user/1000/docker.sock")),
    ("nodes: {script_timeout: 90}", "script_timeout", 90.0),
    ("nodes: {script_timeout: 2h}", "script_timeout", 7200.0),
    ("encryption: {keys_file: /srv/keys.json}", "keys_file", Path("/srv/keys.json")),
]

FROM_ENVIRONMENT: list[tuple[str, str, str, Any]] = [
    ("TEMPORAL_ADDRESS", "t:1", "temporal_address", "t:1"),
    ("TEMPORAL_HOST", "t", "temporal_address", "t:7233"),
    ("TEMPORAL_NAMESPACE", "ops", "temporal_namespace", "ops"),
    ("SERVER_ADDRESS", "w:9090", "server_address", "w:9090"),
    ("SERVER_GROUP", "web, eu", "groups", ["web", "eu"]),
    ("TAGS", "ssd,zone=a", "tags", ["ssd", "zone=a"]),
    ("LOG_OUTPUT_PATH", "/srv/logs", "log_dir", Path("/srv/logs")),
    ("WATERFLOW_AGENT_NAME", "web-01", "name", "web-01"),
    ("WATERFLOW_STATE_DIR", "/srv/state", "state_dir", Path("/srv/state")),
    ("PLUGIN_DIR", "/srv/plugins", "plugin_dir", Path("/srv/plugins")),
    ("WATERFLOW_KEYS_FILE", "/srv/keys.json", "keys_file", Path("/srv/keys.json")),
]

SPECIFIED = {
    *("temporal.address", "temporal.host", "temporal.namespace", "server.address"),
    *("worker.task_queue", "worker.max_concurrent_activities", "worker.max_concurrent_workflows"),
    *("agent.id", "agent.name", "agent.server_group", "agent.additional_groups", "agent.tags"),
    *("plugins.dir", "plugins.reload", "nodes.docker_socket", "nodes.script_timeout"),
    *("logging.level", "logging.output_type", "logging.output_path", "logging.output", "logging.format"),
}
SPECIFIED_VARIABLES = {
    *("TEMPORAL_ADDRESS", "TEMPORAL_HOST", "TEMPORAL_NAMESPACE", "SERVER_ADDRESS", "TASK_QUEUE", "SERVER_GROUP"),
    *("TAGS", "PLUGIN_DIR", "LOG_OUTPUT_TYPE", "LOG_OUTPUT_PATH"),
}
"""What `agent.yaml` and the environment of others already hold."""

BAD_FILES: list[tuple[str, str]] = [
    ("agent: {nmae: a}", "{file}:1: unknown key 'agent.nmae'; did you mean 'agent.name'?"),
    ("agnet: {name: a}", "{file}:1: unknown key 'agnet'; did you mean 'agent'?"),
    ("agent:\n  name: a\n  name: b", "{file}:3: 'agent.name' stands here a second time; the first is {file}:2"),
    (
        "agent:\n  stop_grace: soon",
        "{file}:2: agent.stop_grace: expected a duration such as 30, 90s, 5m or 2h, not 'soon'",
    ),
    ("nodes: {script_timeout: 0s}", "{file}:1: nodes.script_timeout: expected a duration of more than 0, not '0s'"),
    (
        "worker:\n  max_concurrent_activities: 0",
        "{file}:2: worker.max_concurrent_activities: expected a whole number from 1 to 100000, not 0",
    ),
    ("logging: {level: loud}", "{file}:1: logging.level: expected one of debug, info, warning, error, not 'loud'"),
    (
        "temporal: {address: 't:x'}",
        "{file}:1: temporal.address: expected host:port, such as temporal.example.com:7233, not 't:x'",
    ),
    ("- a", "{file}:1: the file must hold keys and values"),
    ("agent: [", "{file}:1: not valid YAML: expected the node content, but found '<stream end>'"),
    ("agent: *a", "{file}:1: not valid YAML: found undefined alias 'a'"),
]

BAD_ARGUMENTS: list[tuple[list[str], str]] = [
    (["--gruops", "web"], "unknown argument '--gruops'; did you mean --groups?"),
    (["web"], "unknown argument 'web'; see --help"),
    (["--name"], "--name needs a value"),
    (["--slots=many"], "--slots: expected a whole number from 1 to 100000, not 'many'"),
    (["--config", "/nowhere/agent.yaml"], "/nowhere/agent.yaml: cannot be read: No such file or directory"),
]


def from_file(tmp_path: Path, text: str, **environ: str) -> Loaded:
    file = tmp_path / "agent.yaml"
    file.write_text(text)
    return load(["--config", str(file)], environ)


class TestSpellings:
    @pytest.mark.parametrize(("text", "field", "value"), FROM_FILE)
    def test_in_the_file(self, tmp_path: Path, text: str, field: str, value: Any) -> None:
        assert getattr(from_file(tmp_path, text).settings, field) == value

    @pytest.mark.parametrize(("variable", "text", "field", "value"), FROM_ENVIRONMENT)
    def test_in_the_environment(self, variable: str, text: str, field: str, value: Any) -> None:
        assert getattr(load([], {variable: text}).settings, field) == value

    def test_every_setting_has_a_variable_a_key_and_a_help(self) -> None:
        for setting in SETTINGS:
            assert setting.env, setting.field
            assert setting.keys, setting.field
            assert setting.help, setting.field

    @pytest.mark.parametrize("key", [name for name in IGNORED if "." in name])
    def test_accepted_in_the_file_with_the_reason_why_it_changes_nothing(self, tmp_path: Path, key: str) -> None:
        section, _, leaf = key.partition(".")
        loaded = from_file(tmp_path, f"{section}: {{{leaf}: anything}}")
        assert (loaded.ignored, loaded.sources) == ([f"{key} has no effect: {IGNORED[key]}"], {})

    @pytest.mark.parametrize("name", [name for name in IGNORED if "." not in name])
    def test_accepted_in_the_environment_with_the_reason_why_it_changes_nothing(self, name: str) -> None:
        loaded = load([], {name: "anything"})
        assert (loaded.ignored, loaded.sources) == ([f"{name} has no effect: {IGNORED[name]}"], {})

    def test_those_of_the_specification_are_all_accepted(self) -> None:
        keys = {key for setting in SETTINGS for key in setting.keys} | set(IGNORED)
        assert keys >= SPECIFIED
        names = {name for setting in SETTINGS for name in setting.env} | set(IGNORED)
        assert names >= SPECIFIED_VARIABLES


class TestDefaultPlaces:
    def test_of_plug_ins(self) -> None:
        assert load([], {}).settings.plugin_dir == Path("/opt/waterflow/plugins")

    @pytest.mark.parametrize(
        ("state", "logs"), [("/var/lib/waterflow", "/var/log/waterflow"), ("/home/ann/state", "/home/ann/state/logs")]
    )
    def test_of_step_logs(self, state: str, logs: str) -> None:
        assert load([], {"WATERFLOW_STATE_DIR": state}).settings.spool_dir == Path(logs)


class TestPrecedence:
    def test_flag_before_environment_before_file_before_default(self, tmp_path: Path) -> None:
        file = tmp_path / "agent.yaml"
        file.write_text("agent: {name: file, server_group: file}\ntemporal: {namespace: file}")
        environ = {"WATERFLOW_AGENT_NAME": "env", "SERVER_GROUP": "env", "WATERFLOW_AGENT_CONFIG": str(file)}
        loaded = load(["--name", "flag"], environ)
        settings = loaded.settings
        assert (settings.name, settings.groups, settings.temporal_namespace) == ("flag", ["env"], "file")
        assert loaded.sources == {
            "name": "--name",
            "groups": "environment variable SERVER_GROUP",
            "temporal_namespace": f"{file}:2",
        }

    def test_an_empty_variable_is_as_good_as_none(self) -> None:
        assert load([], {"WATERFLOW_AGENT_NAME": ""}).sources == {}


class TestConfigCommand:
    def test_shows_values_with_their_sources_and_hides_secrets(self) -> None:
        lines = load(["--groups", "web"], {"WATERFLOW_API_KEY": "hidden-value"}).lines()
        assert 'groups = ["web"]  (--groups)' in lines
        assert 'temporal_namespace = "default"  (default)' in lines
        assert "server_api_key = ***  (environment variable WATERFLOW_API_KEY)" in lines


class TestBadSettings:
    @pytest.mark.parametrize(("text", "message"), BAD_FILES)
    def test_in_the_file(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(SettingsError) as raised:
            from_file(tmp_path, text)
        assert raised.value.message == message.format(file=tmp_path / "agent.yaml")

    @pytest.mark.parametrize(("argv", "message"), BAD_ARGUMENTS)
    def test_on_the_command_line(self, argv: list[str], message: str) -> None:
        with pytest.raises(SettingsError) as raised:
            load(argv, {})
        assert raised.value.message == message

    def test_a_bad_secret_is_not_quoted(self) -> None:
        with pytest.raises(SettingsError) as raised:
            load([], {"WATERFLOW_API_KEY": "se\x00cret"})
        assert raised.value.message == "WATERFLOW_API_KEY: expected a text"

    @pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x80binary"])
    def test_a_binary_file(self, tmp_path: Path, data: bytes) -> None:
        file = tmp_path / "agent.yaml"
        file.write_bytes(data)
        with pytest.raises(SettingsError) as raised:
            load(["--config", str(file)], {})
        assert raised.value.message == f"{file}: not UTF-8 text"
