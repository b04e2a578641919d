"""``agent.yaml``: a tree of known keys, each value with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from .._errors import SettingsError
from ._table import IGNORED, SETTINGS

_MAX_BYTES = 1024 * 1024
_DEFAULT = (Path("/etc/waterflow/agent.yaml"), Path("/etc/waterflow/agent.yml"))
_KEYS = frozenset({*(key for setting in SETTINGS for key in setting.keys), *(key for key in IGNORED if "." in key)})
_SECTIONS = frozenset(key.partition(".")[0] for key in _KEYS)


class FileValue(NamedTuple):
    """A value and where it stands: ``agent.yaml:12``."""

    value: Any
    place: str


def find_file(given: str | None) -> Path | None:
    """The file that was named (it must exist then), else the system's, if there is one."""
    if given:
        return Path(given).expanduser()
    return next((path for path in _DEFAULT if path.exists()), None)


def read_file(path: Path) -> dict[str, FileValue]:
    """Values by dotted key. Raises SettingsError naming file, line and key."""
    text = _text(path)
    import yaml  # imported for a file only: it takes memory

    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return {}
        return dict(_walk(loader, root, str(path), ""))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SettingsError(f"{place}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError(f"{path}: not valid YAML: {error}") from None
    finally:
        loader.dispose()


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > _MAX_BYTES:
            raise SettingsError(f"{path}: larger than {_MAX_BYTES:,} bytes; this is no agent.yaml")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8 text") from None


def _walk(loader: Any, node: Any, path: str, prefix: str) -> list[tuple[str, FileValue]]:
    if node.id != "mapping":
        what = f"{prefix.rstrip('.')!r} must hold" if prefix else "the file must hold"
        raise SettingsError(f"{path}:{node.start_mark.line + 1}: {what} keys and values")
    found: dict[str, FileValue] = {}
    for key_node, value_node in node.value:
        place = f"{path}:{key_node.start_mark.line + 1}"
        key = f"{prefix}{key_node.value if key_node.id == 'scalar' else '?'}"
        if not prefix and key in _SECTIONS and value_node.id == "mapping":
            inner = _walk(loader, value_node, path, f"{key}.")
        elif key in _KEYS:
            inner = [(key, FileValue(loader.construct_object(value_node, deep=True), place))]
        else:
            raise SettingsError(f"{place}: unknown key {key!r}{_nearest(key, prefix)}")
        for name, value in inner:
            if name in found:
                raise SettingsError(f"{place}: {name!r} stands here a second time; the first is {found[name].place}")
            found[name] = value
    return list(found.items())


def _nearest(key: str, prefix: str) -> str:
    from difflib import get_close_matches  # for a mistake only: it takes memory

    near = get_close_matches(key, _KEYS | _SECTIONS, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    known = sorted(name for name in (_KEYS if prefix else _SECTIONS) if name.startswith(prefix))
    return f"; known are {', '.join(known)}" if known else ""
