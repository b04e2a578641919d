"""A Temporal CLI on disk: whether it is one, runs, and is new enough."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from ._process import describe_exit
from ._run import run

VERSION_TIMEOUT = 20.0
MINIMUM_SERVER = (1, 24)
# `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`; one built by `go install` calls itself 0.0.0-DEV, so the version
# of the server inside is the one that says something.
_SERVER_VERSION = re.compile(r"\(Server (\d+)\.(\d+)\.(\S+?),")


class TemporalBinary(msgspec.Struct, frozen=True, kw_only=True):
    """A usable Temporal CLI: its path, the version of the server inside (`1.29.1`), and where it was found."""

    path: Path
    version: str
    source: str


class UnusableBinaryError(Exception):
    """A file is not a usable Temporal CLI; the text is the reason."""


async def inspect(path: Path, source: str) -> TemporalBinary:
    """Asks the file for its version, within 20 s. Raises UnusableBinaryError with the reason when it is of no use."""
    _require_executable(path)
    try:
        answer = await run([str(path), "--version"], within=VERSION_TIMEOUT)
    except TimeoutError:
        raise UnusableBinaryError(f"{path} --version did not answer within {VERSION_TIMEOUT:.0f} s") from None
    if answer.exit_code != 0:
        reason = f": {answer.lines[-1][:200]}" if answer.lines else ""
        raise UnusableBinaryError(f"{path} --version ended with {describe_exit(answer.exit_code)}{reason}")
    return TemporalBinary(path=path, version=_server_version(path, answer.output), source=source)


def _require_executable(path: Path) -> None:
    if not path.is_file():
        raise UnusableBinaryError(f"{path} is not a file" if path.exists() else f"{path} does not exist")
    if not os.access(path, os.X_OK):
        raise UnusableBinaryError(f"{path} is not executable")


def _server_version(path: Path, answer: str) -> str:
    found = _SERVER_VERSION.search(answer)
    if not found:
        raise UnusableBinaryError(f"{path} is not the Temporal CLI: --version says {answer[:80]!r}")
    major, minor, rest = found.groups()
    if (int(major), int(minor)) < MINIMUM_SERVER:
        minimum = ".".join(map(str, MINIMUM_SERVER))
        raise UnusableBinaryError(
            f"{path} has Temporal server {major}.{minor}.{rest}; Waterflow needs {minimum} or newer"
        )
    return f"{major}.{minor}.{rest}"
