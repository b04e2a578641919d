"""Files that steps write to, so that it can be seen from outside what they did."""

from __future__ import annotations

import os
from pathlib import Path

from .site import until


def lines_of(path: Path) -> list[str]:
    """The lines of a file that may not be there yet."""
    return path.read_text().splitlines() if path.exists() else []


def files_below(root: Path) -> list[Path]:
    """All files at any depth. Unlike ``rglob``, it passes over folders that somebody removes meanwhile."""
    return sorted(Path(folder, name) for folder, _, names in os.walk(root) for name in names)


async def until_lines(path: Path, count: int) -> list[str]:
    """Waits until the file has so many lines."""

    async def there() -> bool:
        return len(lines_of(path)) >= count

    await until(there, f"{path.name} has {count} lines")
    return lines_of(path)


def note_living(pids: Path, count: int, living: Path) -> str:
    """A script of one line: adds to ``living`` whichever of the first processes in ``pids`` still runs.

    An orphan that was killed and nobody has collected yet is a zombie, alive to ``kill -0``.
    """
    state = "$(cut -d' ' -f3 /proc/$pid/stat 2> /dev/null)"
    look = f"case \"{state}\" in '' | Z | X) ;; *) cat /proc/$pid/stat >> {living} ;; esac"
    return f"for pid in $(head -{count} {pids}); do {look}; done"
