"""Settings of the server: flags, then environment, then ``server.yaml`` (or ``.toml``), then defaults that work."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from ._errors import ServerError
from ._nearest import did_you_mean
from ._settings_file import Given, SettingsFileError, read_settings_file
from ._settings_table import HISTORY_EVENTS, KEYS, SECTIONS, TABLE, Setting
from ._tls import TlsError, TlsFiles


class SettingsError(ServerError):
    """A setting that cannot be used; the message says which, where it comes from and what it may be."""

    code = "settings"


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class TemporalConnection(_Settings, frozen=True, kw_only=True):
    """Where Temporal is. ``wait`` is how long a Temporal that does not answer is waited for at start, in seconds."""

    address: str = "127.0.0.1:7233"
    namespace: str = "default"
    wait: float = 10.0


class VaultConnection(_Settings, frozen=True, kw_only=True):
    """Where Vault is and how to get in (:class:`waterflow_sdk.secrets.VaultSettings`); the token itself is only taken
    from the environment (``VAULT_TOKEN``).
    """

    address: str | None = None
    token_file: Path | None = None
    role_id: str | None = None
    secret_id_file: Path | None = None
    namespace: str | None = None
    ca: Path | None = None


class LogsSettings(_Settings, frozen=True, kw_only=True):
    """Where the logs of runs are kept: ``files`` in the data directory, or ``s3``, a bucket of an S3-compatible server.

    ``endpoint`` is its address, by default Amazon's; the keys are in ``credentials_file`` or in the environment.
    """

    store: str = "files"
    endpoint: str | None = None
    bucket: str | None = None
    prefix: str = "waterflow/"
    region: str = "us-east-1"
    credentials_file: Path | None = None


class Settings(_Settings, frozen=True, kw_only=True):
    """What is in force.

    ``data_dir`` holds the logs of runs and the pid file; several servers may share it. ``retention`` is how long after
    its last line a log stays whose run Temporal has forgotten. ``keys_file`` is the key ring that seals what goes to
    Temporal: without one, runs with secrets are refused. ``secrets_allow`` are the secrets that the server may read for
    workflows, none by default. ``groups_file`` is a ``server-groups.yml`` that is applied at start.

    ``auth_enabled`` says whether callers are asked for API keys: None = where others than this machine may call.
    ``admin_key_file`` holds a key that may do everything. ``insecure_no_auth`` allows to listen beyond this machine
    although nobody is asked for a key. ``history_events`` is how long the history of a workflow may grow before it goes
    on in a new one. ``ingest_port`` takes only logs of agents: None = 9090 on loopback where it is free, 0 = none.
    """

    temporal: TemporalConnection = TemporalConnection()
    host: str = "127.0.0.1"
    port: int = 8080
    ingest_port: int | None = None
    log_level: str = "info"
    data_dir: Path
    retention: timedelta = timedelta(days=30)
    keys_file: Path | None = None
    secrets_allow: tuple[str, ...] = ()
    vault: VaultConnection = VaultConnection()
    groups_file: Path | None = None
    auth_enabled: bool | None = None
    admin_key_file: Path | None = None
    insecure_no_auth: bool = False
    history_events: int = HISTORY_EVENTS
    logs: LogsSettings = LogsSettings()
    tls: TlsFiles = TlsFiles()

    @property
    def asks_for_keys(self) -> bool:
        """Whether callers need an API key."""
        if self.auth_enabled is not None:
            return self.auth_enabled
        return not (self.insecure_no_auth or is_loopback(self.host))

    @property
    def url(self) -> str:
        """Address of the API for somebody on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        scheme = "https" if self.tls.on else "http"
        return f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, and what is to be said about how they were given."""

    settings: Settings
    warnings: list[str]


def load(flags: Mapping[str, str | bool | None], environ: Mapping[str, str] = os.environ) -> Loaded:
    """Put the settings together. ``flags`` are by their names in the table (``port``, ``temporal.address``).

    Raises SettingsError.
    """
    file = _file(flags.get("config"), environ)
    try:
        from_file = read_settings_file(file) if file else []
    except SettingsFileError as error:
        raise SettingsError(str(error)) from error
    values: dict[str, Given] = {}
    warnings: list[str] = []
    for given in (*_known(from_file, warnings), *_from_environ(environ), *_from_flags(flags)):
        values[given.key] = given
    settings = _build(values, environ)
    if settings.logs.store == "s3" and not settings.logs.bucket:
        raise SettingsError("`logs.store` is s3, so `logs.bucket` has to say which bucket (or WATERFLOW_LOGS_BUCKET)")
    _check_exposure(settings)
    _check_tls(settings)
    warnings += _about_keys(settings, environ)
    return Loaded(settings=settings, warnings=warnings)


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """``waterflow/server`` below ``$XDG_DATA_HOME`` (default ``~/.local/share``)."""
    base = environ.get("XDG_DATA_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    return root / "waterflow" / "server"


def _file(flag: str | bool | None, environ: Mapping[str, str]) -> Path | None:
    named = flag or environ.get("WATERFLOW_CONFIG")
    if isinstance(named, str):
        return Path(named).expanduser()
    config = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    names = [
        Path(place) / f"server.{kind}"
        for place in (f"{config}/waterflow", "/etc/waterflow")
        for kind in ("yaml", "yml", "toml")
    ]
    return next((name for name in names if name.is_file()), None)


def _known(given: Iterable[Given], warnings: list[str]) -> Iterable[Given]:
    for each in given:
        section = each.key.partition(".")[0]
        if section == "database":
            text = f"{each.place}: `database` is not needed and has no effect: Temporal is the only store"
            if not any(warning.endswith("the only store") for warning in warnings):
                warnings.append(text)
        elif setting := KEYS.get(each.key):
            yield msgspec.structs.replace(each, key=setting.name)
        elif each.key in SECTIONS:
            raise SettingsError(f"{each.place}: `{each.key}` has to be a mapping")
        else:
            near = did_you_mean(each.key, [*KEYS, *SECTIONS])
            raise SettingsError(f"{each.place}: unknown setting `{each.key}`{near}")


def _from_environ(environ: Mapping[str, str]) -> Iterable[Given]:
    for setting in TABLE:
        for name in reversed(setting.environ):
            if value := environ.get(name, "").strip():
                yield Given(key=setting.name, value=value, place=f"environment variable {name}")


def _from_flags(flags: Mapping[str, str | bool | None]) -> Iterable[Given]:
    for setting in TABLE:
        value = flags.get(setting.name)
        if value is not None and value is not False:
            yield Given(key=setting.name, value=value, place=setting.flag)


def _build(values: Mapping[str, Given], environ: Mapping[str, str]) -> Settings:
    tree: dict[str, Any] = {"temporal": {}, "vault": {}, "logs": {}, "tls": {}}
    for setting in TABLE:
        if given := values.get(setting.name):
            parent, _, leaf = setting.name.rpartition(".")
            (tree[parent] if parent else tree)[leaf] = _value(setting, given)
    tree.setdefault("data_dir", default_data_dir(environ))
    return msgspec.convert(tree, Settings, dec_hook=lambda kind, value: kind(value))


def _value(setting: Setting, given: Given) -> Any:
    try:
        value = msgspec.convert(given.value, setting.kind, strict=not isinstance(given.value, str))
        return setting.parse(value)
    except (msgspec.ValidationError, ValueError) as error:
        reason = setting.expects or str(error)
        raise SettingsError(f"{given.place}: `{setting.name}` is {given.value!r}; it has to be {reason}") from error


def _check_exposure(settings: Settings) -> None:
    if settings.asks_for_keys:
        if settings.insecure_no_auth:
            raise SettingsError(
                "`auth.enabled` asks for API keys and --insecure-no-auth does not; only one can be meant"
            )
        return
    if settings.insecure_no_auth or is_loopback(settings.host):
        return
    raise SettingsError(
        f"the server would listen on {settings.host} without asking anybody for a key, so whoever reaches the port "
        "could run commands on your servers. Leave `auth.enabled` on, listen on 127.0.0.1 (behind a proxy that checks "
        "who calls), or say --insecure-no-auth when the network itself is trusted"
    )


def _about_keys(settings: Settings, environ: Mapping[str, str]) -> Iterable[str]:
    if settings.asks_for_keys and not is_loopback(settings.host) and not settings.tls.on:
        yield (
            "API keys come over the network in the clear, and whoever listens there can use them: set tls.cert and "
            "tls.key, or let a proxy in front speak TLS"
        )
    if not settings.asks_for_keys and (settings.admin_key_file or environ.get("WATERFLOW_ADMIN_KEY")):
        yield "an admin key is set, but nobody is asked for a key; set auth.enabled"


def _check_tls(settings: Settings) -> None:
    try:
        settings.tls.check()
    except TlsError as error:
        raise SettingsError(str(error)) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
