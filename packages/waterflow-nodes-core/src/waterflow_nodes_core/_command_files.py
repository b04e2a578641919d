"""The files by which a script gives outputs, environment variables and ``PATH`` entries.

Format: GitHub, "Workflow commands for GitHub Actions", sections "Setting an output parameter", "Setting an environment
variable", "Adding a system path", "Multiline strings". Each file is known by its GitHub name and by Waterflow's own.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from waterflow_sdk import InvalidOutput, NodeContext

_MAX = 1024 * 1024  # bytes; outputs are capped far below, but environment values may be larger
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_RESERVED = ("GITHUB_", "RUNNER_")  # GitHub: default variables cannot be overwritten
_BLOCKED = frozenset({"NODE_OPTIONS"})  # GitHub: would let a script run code in later actions


class CommandFiles:
    """The command files of one script, in its private directory."""

    def __init__(self, directory: Path) -> None:
        self._files = {kind: directory / f"{kind.lower()}.txt" for kind in ("OUTPUT", "ENV", "PATH")}
        for file in self._files.values():
            file.touch(mode=0o600)
        # The script may belong to another user (run-as), who could put a link in the place of the directory.
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    @property
    def env(self) -> dict[str, str]:
        """Variables that tell the script where the files are."""
        return {
            f"{prefix}_{kind}": str(file) for kind, file in self._files.items() for prefix in ("GITHUB", "WATERFLOW")
        }

    def apply(self, ctx: NodeContext) -> None:
        """Hand what the script wrote to the step; raises :class:`InvalidOutput` naming the file and line."""
        for name, value in parse_pairs(self._read("OUTPUT"), "GITHUB_OUTPUT"):
            ctx.set_output(name, value)
        for name, value in parse_pairs(self._read("ENV"), "GITHUB_ENV"):
            if name.startswith(_RESERVED) or name in _BLOCKED:
                ctx.log.warning(f"{name} cannot be set by GITHUB_ENV and was left as it is")
            else:
                ctx.set_env(name, value)
        for line in self._read("PATH").splitlines():
            if line.strip():
                ctx.add_path(line.strip())

    def _read(self, kind: str) -> str:
        try:
            fd = os.open(self._files[kind].name, _READ, dir_fd=self._directory)
        except FileNotFoundError:  # the script removed it
            return ""
        except OSError as error:
            raise InvalidOutput(f"GITHUB_{kind} cannot be read: {error.strerror}") from error
        with open(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise InvalidOutput(f"GITHUB_{kind} is no plain file any more: the script put something in its place")
            if found.st_size > _MAX:
                raise InvalidOutput(f"GITHUB_{kind} holds {found.st_size:,} bytes, at most {_MAX:,} are allowed")
            return file.read(_MAX).decode("utf-8-sig", errors="replace")

    def close(self) -> None:
        """Give the directory back."""
        os.close(self._directory)


def parse_pairs(text: str, file: str) -> list[tuple[str, str]]:
    """Parse ``name=value`` lines and ``name<<DELIMITER`` blocks, in order."""
    pairs: list[tuple[str, str]] = []
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        if not line:
            continue
        name, mark = _name(line)
        if not name:
            raise InvalidOutput(
                f"{file}, line {number}: {_short(line)!r} is neither 'name=value' nor 'name<<DELIMITER'"
            )
        rest = line[len(name) + len(mark) :]
        if mark == "=":
            pairs.append((name, rest))
            continue
        block: list[str] = []
        for _, inner in lines:
            if inner == rest:
                break
            block.append(inner)
        else:
            raise InvalidOutput(f"{file}, line {number}: the block of {name!r} is not closed by {_short(rest)!r}")
        pairs.append((name, "\n".join(block)))
    return pairs


def _name(line: str) -> tuple[str, str]:
    """The name in front of the first ``=`` or ``<<``, and which of them it is."""
    marks = sorted((line.find(mark), mark) for mark in ("=", "<<") if mark in line)
    if not marks:
        return "", ""
    position, mark = marks[0]
    return line[:position], mark


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
