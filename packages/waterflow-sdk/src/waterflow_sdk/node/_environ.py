"""Environment variables and ``PATH`` of a step."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ._errors import InvalidInput
from ._sound import is_sound, sound


def process_env(base: Mapping[str, str], added: Mapping[str, str], paths: Sequence[str]) -> Mapping[str, str]:
    """The environment of the step's processes: ``added`` over ``base``, with ``paths`` in front of ``PATH``."""
    env = {**base, **added}
    if paths:
        env["PATH"] = os.pathsep.join([*paths, *filter(None, [env.get("PATH")])])
    return MappingProxyType(env)


def check_env(name: str, value: str | None) -> None:
    """Raise :class:`InvalidInput` for a name or value that an environment cannot hold (POSIX.1-2017, 8.1)."""
    if not name or "=" in name or "\0" in name:
        raise InvalidInput(f"{name!r} is not a name for an environment variable: it is empty or holds '=' or NUL")
    if value is not None and "\0" in value:
        raise InvalidInput(f"the value of the environment variable {name} holds a NUL byte")
    if not is_sound(name) or not is_sound(value or ""):
        raise InvalidInput(f"the environment variable {sound(name)} holds characters that are not UTF-8")


def check_path(workspace: Path, directory: str | os.PathLike[str]) -> str:
    """An entry for ``PATH``: absolute, and free of what would split it."""
    text = os.fspath(directory)
    if not text or os.pathsep in text or "\0" in text or "\n" in text:
        raise InvalidInput(f"{text!r} cannot be added to PATH: it is empty or has {os.pathsep!r}, NUL or a line break")
    if not is_sound(text):
        raise InvalidInput(f"{sound(text)!r} cannot be added to PATH: it holds characters that are not UTF-8")
    return str(workspace / text)
