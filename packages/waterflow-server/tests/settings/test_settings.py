"""Where settings come from, in which order, and what is said about wrong ones."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from waterflow_server._settings_table import TABLE
from waterflow_server.settings import Settings, SettingsError, TemporalConnection, load


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment whose configuration directory is empty."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}


def file(tmp_path: Path, text: str, name: str = "server.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


class TestDefaults:
    def test_they_work_on_this_machine_alone(self, environ: dict[str, str], tmp_path: Path) -> None:
        assert load({}, environ).settings == Settings(
            temporal=TemporalConnection(address="127.0.0.1:7233", namespace="default", wait=10.0),
            host="127.0.0.1",
            port=8080,
            log_level="info",
            data_dir=tmp_path / "data/waterflow/server",
        )

    @pytest.mark.parametrize(
        ("host", "url"),
        [
            ("127.0.0.1", "http://127.0.0.1:8080"),
            ("0.0.0.0", "http://127.0.0.1:8080"),
            ("::1", "http://[::1]:8080"),
            ("::", "http://[::1]:8080"),
        ],
    )
    def test_the_address_for_somebody_on_this_machine(self, environ: dict[str, str], host: str, url: str) -> None:
        assert load({"host": host, "insecure_no_auth": True}, environ).settings.url == url


class TestRetention:
    @pytest.mark.parametrize("text", ["retention: 90d", "server: {retention: 90d}", "retention: 2160h"])
    def test_a_duration(self, environ: dict[str, str], tmp_path: Path, text: str) -> None:
        assert load({"config": str(file(tmp_path, text))}, environ).settings.retention == timedelta(days=90)

    @pytest.mark.parametrize("text", ["1h", "4000d", "soon", "-30d"])
    def test_at_least_a_day(self, environ: dict[str, str], text: str) -> None:
        with pytest.raises(SettingsError) as caught:
            load({"retention": text}, environ)
        assert caught.value.message == (
            f"--retention: `retention` is {text!r}; it has to be a duration from 1d to 3650d, such as 30d"
        )


class TestOrder:
    def test_flags_then_environment_then_file(self, environ: dict[str, str], tmp_path: Path) -> None:
        path = file(tmp_path, "server: {port: 1, host: localhost}\ntemporal: {namespace: file}\n")
        environ |= {"WATERFLOW_CONFIG": str(path), "WATERFLOW_PORT": "2", "TEMPORAL_NAMESPACE": "environ"}
        settings = load({"port": "3"}, environ).settings
        assert (settings.port, settings.host, settings.temporal.namespace) == (3, "localhost", "environ")

    def test_an_empty_variable_is_not_set(self, environ: dict[str, str]) -> None:
        assert load({}, environ | {"WATERFLOW_PORT": " "}).settings.port == 8080

    def test_a_file_in_the_configuration_directory_is_found(self, environ: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "config/waterflow").mkdir(parents=True)
        file(tmp_path / "config/waterflow", "server: {port: 99}\n", "server.yml")
        assert load({}, environ).settings.port == 99


class TestSpellings:
    @pytest.mark.parametrize("text", ["temporal: {host: t}", "temporal: {address: 't:7233'}"])
    def test_of_the_address_of_temporal_in_the_file(self, environ: dict[str, str], tmp_path: Path, text: str) -> None:
        assert load({"config": str(file(tmp_path, text))}, environ).settings.temporal.address == "t:7233"

    @pytest.mark.parametrize("name", ["TEMPORAL_ADDRESS", "TEMPORAL_HOST", "WATERFLOW_TEMPORAL_ADDRESS"])
    def test_of_the_address_of_temporal_in_the_environment(self, environ: dict[str, str], name: str) -> None:
        assert load({}, environ | {name: "t:1"}).settings.temporal.address == "t:1"

    def test_toml(self, environ: dict[str, str], tmp_path: Path) -> None:
        path = file(tmp_path, '[server]\nport = 99\nlog_level = "DEBUG"\n', "server.toml")
        settings = load({"config": str(path)}, environ).settings
        assert (settings.port, settings.log_level) == (99, "debug")

    def test_a_database_is_accepted_with_one_warning(self, environ: dict[str, str], tmp_path: Path) -> None:
        path = file(tmp_path, "database:\n  host: db\n  port: 5432\n")
        assert load({"config": str(path)}, environ).warnings == [
            f"{path}:2: `database` is not needed and has no effect: Temporal is the only store"
        ]

    def test_auth_may_be_off(self, environ: dict[str, str], tmp_path: Path) -> None:
        assert not load({"config": str(file(tmp_path, "auth: {enabled: false}"))}, environ).settings.auth_enabled


class TestWrong:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("server:\n  prot: 1\n", "{path}:2: unknown setting `server.prot`; did you mean 'server.port'?"),
            ("sever: {port: 1}\n", "{path}:1: unknown setting `sever.port`; did you mean 'server.port'?"),
            ("server: 8080\n", "{path}:1: `server` has to be a mapping"),
            ("server:\n  port: many\n", "{path}:2: `port` is 'many'; it has to be a port, 1 to 65535"),
            ("server: {port: 65536}\n", "{path}:1: `port` is '65536'; it has to be a port, 1 to 65535"),
            (
                "server: {log_level: loud}",
                "{path}:1: `log_level` is 'loud'; it has to be one of debug, info, warning, error",
            ),
            ("temporal: {host: 'a b'}", "{path}:1: `temporal.address` is 'a b'; it has to be host:port, such as "),
            ("temporal: {wait: 0}", "{path}:1: `temporal.wait` is '0'; it has to be a number of seconds above 0"),
            ("auth: {enabled: maybe}", "{path}:1: `auth_enabled` is 'maybe'; it has to be true or false"),
            ("server: {port: [1]}", "{path}:1: a single value is expected here"),
            ("server:\n  port: 1\n  port: 2\n", "{path}:3: `port` is given twice"),
            ("- a\n", "{path}:1: a settings file has to be a mapping"),
            ("? [a]\n: 1\n", "{path}:1: a key has to be text"),
            ("a: [", "{path}:1: not YAML: "),
        ],
    )
    def test_the_file_says_where(self, environ: dict[str, str], tmp_path: Path, text: str, message: str) -> None:
        path = file(tmp_path, text)
        with pytest.raises(SettingsError) as caught:
            load({"config": str(path)}, environ)
        assert caught.value.message.startswith(message.format(path=path))

    def test_a_file_that_is_not_there(self, environ: dict[str, str], tmp_path: Path) -> None:
        with pytest.raises(SettingsError) as caught:
            load({"config": str(tmp_path / "no.yaml")}, environ)
        assert caught.value.message == f"{tmp_path}/no.yaml: No such file or directory"

    def test_a_file_that_cannot_be_settings(self, environ: dict[str, str], tmp_path: Path) -> None:
        path = file(tmp_path, "#" * 300_000)
        with pytest.raises(SettingsError, match="the file has more than 262144 bytes; it cannot be a settings file"):
            load({"config": str(path)}, environ)

    def test_a_variable_is_named(self, environ: dict[str, str]) -> None:
        with pytest.raises(SettingsError) as caught:
            load({}, environ | {"WATERFLOW_PORT": "x"})
        assert caught.value.message == (
            "environment variable WATERFLOW_PORT: `port` is 'x'; it has to be a port, 1 to 65535"
        )

    def test_a_flag_is_named(self, environ: dict[str, str]) -> None:
        with pytest.raises(SettingsError) as caught:
            load({"temporal.address": "h:x"}, environ)
        assert caught.value.message == (
            "--temporal: `temporal.address` is 'h:x'; it has to be host:port, such as 127.0.0.1:7233"
        )


class TestKeys:
    """Whether callers are asked for API keys."""

    BEYOND = ("0.0.0.0", "::", "192.168.0.7", "server.example")
    LOOPBACK = ("127.0.0.1", "127.0.0.9", "::1", "localhost")

    @pytest.mark.parametrize("host", BEYOND)
    def test_beyond_this_machine_they_are(self, environ: dict[str, str], host: str) -> None:
        assert load({"host": host}, environ).settings.asks_for_keys

    @pytest.mark.parametrize("host", LOOPBACK)
    def test_on_loopback_they_are_not(self, environ: dict[str, str], host: str) -> None:
        assert not load({"host": host}, environ).settings.asks_for_keys

    def test_on_loopback_when_it_is_said(self, environ: dict[str, str]) -> None:
        assert load({}, environ | {"WATERFLOW_AUTH_ENABLED": "true"}).settings.asks_for_keys

    def test_beyond_this_machine_not_when_it_is_said(self, environ: dict[str, str]) -> None:
        environ |= {"WATERFLOW_HOST": "0.0.0.0", "WATERFLOW_INSECURE_NO_AUTH": "true"}
        assert not load({}, environ).settings.asks_for_keys

    def test_auth_enabled_false_alone_opens_nothing(self, environ: dict[str, str]) -> None:
        with pytest.raises(SettingsError) as caught:
            load({"host": "0.0.0.0"}, environ | {"WATERFLOW_AUTH_ENABLED": "false"})
        assert caught.value.message == (
            "the server would listen on 0.0.0.0 without asking anybody for a key, so whoever reaches the port "
            "could run commands on your servers. Leave `auth.enabled` on, listen on 127.0.0.1 (behind a proxy that "
            "checks who calls), or say --insecure-no-auth when the network itself is trusted"
        )

    def test_both_at_once_is_refused(self, environ: dict[str, str]) -> None:
        with pytest.raises(SettingsError) as caught:
            load({"insecure_no_auth": True}, environ | {"WATERFLOW_AUTH_ENABLED": "true"})
        assert caught.value.message == (
            "`auth.enabled` asks for API keys and --insecure-no-auth does not; only one can be meant"
        )

    def test_the_admin_key_is_no_setting_of_the_command_line(self) -> None:
        flags = [setting.flag for setting in TABLE if "key" in setting.flag]
        assert flags == ["--keys-file", "--admin-key-file", "--tls-key"]

    def test_keys_in_the_clear_are_warned_of(self, environ: dict[str, str]) -> None:
        assert load({"host": "0.0.0.0"}, environ).warnings == [
            "API keys come over the network in the clear, and whoever listens there can use them: set tls.cert and "
            "tls.key, or let a proxy in front speak TLS"
        ]

    def test_an_admin_key_without_effect_is_warned_of(self, environ: dict[str, str]) -> None:
        assert load({}, environ | {"WATERFLOW_ADMIN_KEY": "x" * 32}).warnings == [
            "an admin key is set, but nobody is asked for a key; set auth.enabled"
        ]
