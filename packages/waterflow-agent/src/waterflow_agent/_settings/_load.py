"""Flag before environment before file before default; and where each value came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from .._errors import SettingsError
from ._file import FileValue, find_file, read_file
from ._model import AgentSettings
from ._table import IGNORED, SETTINGS, Setting

CONFIG_ENV = "WATERFLOW_AGENT_CONFIG"
CONFIG_FLAG = "config"

_FLAGS = {setting.flag: setting for setting in SETTINGS if setting.flag}
_MASK = "***"


class Loaded(msgspec.Struct, frozen=True):
    """Settings in force, the source of each, and what was accepted but changes nothing."""

    settings: AgentSettings
    sources: dict[str, str]
    ignored: list[str]

    def lines(self) -> list[str]:
        """``name = value  (source)``, one line each, secrets masked."""
        return [
            f"{setting.field} = {self._shown(setting)}  ({self.sources.get(setting.field, 'default')})"
            for setting in SETTINGS
        ]

    def _shown(self, setting: Setting) -> str:
        value = getattr(self.settings, setting.field)
        if setting.secret and value is not None:
            return _MASK
        return msgspec.json.encode(msgspec.to_builtins(value, enc_hook=str)).decode()


def load(argv: Sequence[str], environ: Mapping[str, str]) -> Loaded:
    """Settings from all sources. Raises SettingsError naming the source, the key and what is expected."""
    flags = _flags(argv)
    path = find_file(flags.pop(CONFIG_FLAG, None) or environ.get(CONFIG_ENV))
    file = read_file(path) if path else {}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        found = _from_flag(setting, flags) or _from_environ(setting, environ) or _from_file(setting, file)
        if found:
            values[setting.field], sources[setting.field] = found
    return Loaded(AgentSettings(**values), sources, _ignored(environ, file))


def _flags(argv: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    words = list(argv)
    while words:
        word = words.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or (name not in _FLAGS and name != CONFIG_FLAG):
            from difflib import get_close_matches  # for a mistake only: it takes memory

            near = get_close_matches(name, [*_FLAGS, CONFIG_FLAG], n=1)
            hint = f"did you mean --{near[0]}?" if near else "see --help"
            raise SettingsError(f"unknown argument {word.partition('=')[0]!r}; {hint}")
        if not equals:
            if not words:
                raise SettingsError(f"--{name} needs a value")
            value = words.pop(0)
        found[name] = value
    return found


def _from_flag(setting: Setting, flags: Mapping[str, str]) -> tuple[Any, str] | None:
    if setting.flag not in flags:
        return None
    source = f"--{setting.flag}"
    return _parsed(setting, flags[setting.flag], source), source


def _from_environ(setting: Setting, environ: Mapping[str, str]) -> tuple[Any, str] | None:
    for name in setting.env:
        if environ.get(name):
            return _parsed(setting, environ[name], name), f"environment variable {name}"
    return None


def _from_file(setting: Setting, file: Mapping[str, FileValue]) -> tuple[Any, str] | None:
    there = [(key, file[key]) for key in setting.keys if key in file and file[key].value is not None]
    if not there:
        return None
    parsed = [_parsed(setting, value.value, f"{value.place}: {key}") for key, value in there]
    if not setting.merge:
        return parsed[0], there[0][1].place
    return list(dict.fromkeys(word for words in parsed for word in words)), there[0][1].place


def _parsed(setting: Setting, value: Any, source: str) -> Any:
    try:
        return setting.parse(value)
    except (ValueError, TypeError) as error:
        shown = "" if setting.secret else f", not {value!r}"
        raise SettingsError(f"{source}: {error}{shown}", {"setting": setting.field, "source": source}) from None


def _ignored(environ: Mapping[str, str], file: Mapping[str, FileValue]) -> list[str]:
    present = [name for name in IGNORED if name in file or environ.get(name)]
    return [f"{name} has no effect: {IGNORED[name]}" for name in present]
