"""Settings of the embedded Temporal server, and where its things are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ._errors import SettingInvalid

RETENTION_DAYS = 30
_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Policy of all settings here: immutable, by name, nothing unknown."""


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise SettingInvalid(
            "The home directory is unknown: set HOME, or WATERFLOW_DATA_DIR and WATERFLOW_CACHE_DIR."
        ) from None


def absolute(path: str | Path) -> Path:
    """The path from the root, `~` expanded. Raises SettingInvalid for the home of a user who is unknown."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise SettingInvalid(f"{path}: the home directory of that user is unknown.", {"path": str(path)}) from None


def _place(environ: Mapping[str, str], own: str, xdg: str, fallback: str, *rest: str) -> Path:
    if environ.get(own):
        return absolute(environ[own])
    base = environ.get(xdg)
    # XDG base directory specification: a relative path is invalid and must be ignored.
    root = Path(base) if base and Path(base).is_absolute() else _home() / fallback
    return root.joinpath("waterflow", *rest)


def default_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """`$WATERFLOW_DATA_DIR`, else `waterflow/dev` below `$XDG_DATA_HOME` (default `~/.local/share`)."""
    return _place(environ, "WATERFLOW_DATA_DIR", "XDG_DATA_HOME", ".local/share", "dev")


def default_cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """`$WATERFLOW_CACHE_DIR`, else `waterflow` below `$XDG_CACHE_HOME` (default `~/.cache`)."""
    return _place(environ, "WATERFLOW_CACHE_DIR", "XDG_CACHE_HOME", ".cache")


def _switch(environ: Mapping[str, str], name: str, default: bool) -> bool:
    value = environ.get(name, "").strip().lower()
    if not value:
        return default
    if value not in _ON | _OFF:
        raise SettingInvalid(f"{name} is {environ[name]!r}; it can be 'on' or 'off'.", {"name": name})
    return value in _ON


class TemporalSettings(Settings, frozen=True, kw_only=True):
    """How the embedded Temporal server is found and started. Times are in seconds.

    - `binary`: the Temporal CLI to use; None searches (see `find_temporal`)
    - `download`: whether the Temporal SDK may download the CLI
    - `cache_dir`: keeps a fetched CLI for the next time
    - `download_timeout`, `build_timeout`: longest time for the SDK's download and for `go install`
    - `data_dir`: holds `temporal.db` and `temporal.log`, kept between starts
    - `ephemeral`: use a temporary directory instead and remove it at the end
    - `port`, `http_port`, `ui_port`, `metrics_port`: None chooses a free one
    - `ui`: whether Temporal's web UI is served
    - `retention_days`: how long closed runs are kept in the namespace `default` (a stock dev server: one day)
    - `start_timeout`, `stop_timeout`: longest time until it answers, and from SIGTERM to SIGKILL
    """

    binary: Path | None = None
    download: bool = True
    cache_dir: Path = msgspec.field(default_factory=default_cache_dir)
    download_timeout: float = 180.0
    build_timeout: float = 1800.0
    data_dir: Path = msgspec.field(default_factory=default_data_dir)
    ephemeral: bool = False
    port: int | None = None
    http_port: int | None = None
    ui_port: int | None = None
    metrics_port: int | None = None
    ui: bool = True
    retention_days: int = RETENTION_DAYS
    start_timeout: float = 60.0
    stop_timeout: float = 10.0

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> TemporalSettings:
        """Settings from `WATERFLOW_TEMPORAL_BINARY`, `WATERFLOW_TEMPORAL_DOWNLOAD` (on, off), `WATERFLOW_CACHE_DIR` and
        `WATERFLOW_DATA_DIR`; what is given by name goes before the environment.

        Raises SettingInvalid for a value that a variable may not have.
        """
        binary = environ.get("WATERFLOW_TEMPORAL_BINARY")
        values: dict[str, Any] = {
            "binary": absolute(binary) if binary else None,
            "download": _switch(environ, "WATERFLOW_TEMPORAL_DOWNLOAD", default=True),
            "cache_dir": default_cache_dir(environ),
            "data_dir": default_data_dir(environ),
        }
        return cls(**(values | given))
