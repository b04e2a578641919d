"""``server.yaml`` and ``server.toml`` as a flat list of keys, values and places."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import yaml

_MOST_BYTES = 256 * 1024


class SettingsFileError(ValueError):
    """The file cannot be read; the message says where."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A value that somebody gave: dotted key, value, and where it stands (``server.yaml:3``)."""

    key: str
    value: Any
    place: str


def read_settings_file(path: Path) -> list[Given]:
    """Every value in the file. Raises SettingsFileError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SettingsFileError(f"{path}: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise SettingsFileError(f"{path}: the file has more than {_MOST_BYTES} bytes; it cannot be a settings file")
    return list(_toml(path, data) if path.suffix == ".toml" else _yaml(path, data))


def _toml(path: Path, data: bytes) -> Iterator[Given]:
    try:
        tree = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsFileError(f"{path}: not TOML: {error}") from error
    for section, value in tree.items():
        if isinstance(value, dict):
            for key, inner in cast("dict[str, Any]", value).items():
                yield Given(key=f"{section}.{key}", value=inner, place=str(path))
        else:
            yield Given(key=section, value=value, place=str(path))


def _yaml(path: Path, data: bytes) -> Iterator[Given]:
    try:
        root = yaml.compose(data, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark: Any = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SettingsFileError(f"{place}: not YAML: {getattr(error, 'problem', None) or error}") from error
    if root is None:
        return
    for section, name, value in _pairs(path, root):
        if isinstance(value, yaml.MappingNode):
            for place, key, inner in _pairs(path, value):
                yield Given(key=f"{name}.{key}", value=_scalar(place, inner), place=place)
        else:
            yield Given(key=name, value=_scalar(section, value), place=section)


def _pairs(path: Path, node: yaml.Node) -> Iterator[tuple[str, str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        raise SettingsFileError(f"{path}:{node.start_mark.line + 1}: a settings file has to be a mapping")
    seen: set[str] = set()
    for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
        place = f"{path}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise SettingsFileError(f"{place}: a key has to be text")
        name = str(key.value)
        if name in seen:
            raise SettingsFileError(f"{place}: `{name}` is given twice")
        seen.add(name)
        yield place, name, value


def _scalar(place: str, node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        raise SettingsFileError(f"{place}: a single value is expected here")
    # Text, as in the environment: what it means is decided by the setting, not by YAML's guess.
    return str(node.value)
