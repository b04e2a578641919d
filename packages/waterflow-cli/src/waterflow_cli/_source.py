"""Reading the workflow file: what cannot be one is refused before it is read."""

from __future__ import annotations

import posixpath
import stat
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import msgspec

from ._errors import CliError

MAX_BYTES = 8 * 1024 * 1024
"""Largest file that the language takes; checked by its size, so that nothing larger is ever read."""


class Source(msgspec.Struct, frozen=True):
    """A workflow file: its name as the user gave it, its text, and those that it calls by path from its directory."""

    name: str
    text: str
    files: Mapping[str, str] = {}

    def text_of(self, file: str) -> str:
        """The text of the file that a diagnostic names."""
        directory = posixpath.dirname(self.name.replace("\\", "/"))
        shown = {posixpath.normpath(posixpath.join(directory, path)): text for path, text in self.files.items()}
        return shown.get(file, self.text)


def read_source(name: str) -> Source:
    """Read the file ``name``, or stdin for ``-``. Raises :class:`CliError`."""
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if name == "-" else _read_file(Path(name))
    shown = "<stdin>" if name == "-" else name
    if len(data) > MAX_BYTES:
        raise _too_large(shown, len(data))
    return Source(shown, _text(shown, data))


def _read_file(path: Path) -> bytes:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise CliError(f"{str(path)!r} is a directory, not a workflow file", _files_in(path))
        if found.st_size > MAX_BYTES:
            raise _too_large(str(path), found.st_size)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise CliError(f"the file {str(path)!r} does not exist", _near(path)) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CliError(f"the file {str(path)!r} cannot be read: {why}") from None


def _too_large(name: str, size: int) -> CliError:
    return CliError(
        f"{name!r} has {size / 1024 / 1024:.1f} MB; a workflow file has at most {MAX_BYTES // 1024 // 1024} MB",
        "give the name of a workflow file; data belongs into files that its steps read",
    )


def _text(name: str, data: bytes) -> str:
    if b"\0" in data:
        raise CliError(f"{name!r} is binary, not a workflow file", "a workflow file is YAML in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CliError(
            f"{name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        ) from None


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no directory {str(path.parent)!r}"
    # Stems alone: that two names end in `.yaml` does not make them alike.
    names = {each.stem: each.name for each in sorted(path.parent.iterdir(), reverse=True)}
    near = get_close_matches(path.stem, names, 1)
    return f"did you mean {str(path.parent / names[near[0]])!r}?" if near else ""


def _files_in(path: Path) -> str:
    names = sorted(str(each) for pattern in ("*.yaml", "*.yml") for each in path.glob(pattern))
    return f"it holds {', '.join(names[:5])}{', …' if len(names) > 5 else ''}" if names else ""
