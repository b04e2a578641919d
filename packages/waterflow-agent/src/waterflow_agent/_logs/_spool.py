"""The durable spool: one NDJSON file per step attempt, below the log directory, named as its stream.

``open/`` holds what may still grow or be shipped, ``shipped/`` what the server has completely. A file moves from one to
the other, so that a restart knows what is left to do.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from ._reserve import Reserve

OPEN = "open"
SHIPPED = "shipped"
_SUFFIX = ".log"
_NAME = ".stream"
_SAFE = "[]=,@+~: "
_UNSAFE = ("", ".", "..")
_LONGEST = 200  # bytes of a file name; most file systems take 255
_TRIES = 50  # to open a file; whoever ships the last one of a folder may just remove that again, and again


class SpoolFile:
    """The file of one attempt, open for appending. Only whole lines are ever in it.

    Lines are handed to the operating system and not forced to the disk: they survive the end of the agent, however it
    comes, and not always a loss of power. A full disk never fails a step: what does not fit is cut away again.
    """

    def __init__(
        self, path: str | Path, reserve: Reserve | None = None, closed: Callable[[str], None] | None = None
    ) -> None:
        self.path = os.fspath(path)
        self._closed = closed
        self.failure = ""
        """Why lines did not fit, the last time."""
        self._reserve = reserve
        self._fd = _opened(self.path)
        self.length = cut_to_whole_lines(self._fd)

    def append(self, data: bytes, *, needed: bool = False) -> bool:
        """Adds whole lines; False if they did not fit. What is ``needed`` may take up the reserve."""
        if self._append(data):
            return True
        return needed and self._reserve is not None and self._reserve.give() and self._append(data)

    def close(self) -> None:
        """Nothing more is added."""
        os.close(self._fd)
        if self._closed:
            self._closed(self.path)

    def _append(self, data: bytes) -> bool:
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self.failure = error.strerror or str(error)
            return False
        if written < len(data):
            os.ftruncate(self._fd, self.length)
            self.failure = os.strerror(errno.ENOSPC)
            return False
        self.length += written
        return True


def _opened(path: str) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags, 0o600)  # the folder is there from the second step of a job on
        with contextlib.suppress(FileNotFoundError):
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(path, flags, 0o600)


def cut_to_whole_lines(fd: int) -> int:
    """Drops a last line that a crash cut, and answers the length."""
    length = os.fstat(fd).st_size
    end = length
    while end > 0:
        start = max(0, end - 65536)
        at = os.pread(fd, end - start, start).rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    if end < length:
        os.ftruncate(fd, end)
    return end


class Spool:
    """The log directory. Raises OSError where nothing can be written; a disk that is only full is no reason."""

    def __init__(self, directory: Path) -> None:
        self._open = directory / OPEN
        self._shipped = directory / SHIPPED
        for folder in (self._open, self._shipped):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._reserve = Reserve(directory / ".reserve")
        self._reserve.renew()
        self._written_to: Counter[str] = Counter()
        self._lock = threading.Lock()

    def create(self, stream: str) -> SpoolFile:
        """Opens the file of a stream, to go on where it ends. Raises OSError."""
        relative, hashed = _relative(stream)
        with contextlib.suppress(OSError):
            self._reserve.renew()
        file = SpoolFile(f"{self._open}/{relative}", self._reserve, self._let_go)
        with self._lock:
            self._written_to[file.path] += 1
        if hashed:
            Path(file.path).with_suffix(_NAME).write_text(stream)
        return file

    def path(self, stream: str) -> Path:
        """Where the file of a stream is while it is not shipped."""
        return self._open / _relative(stream)[0]

    def unshipped(self) -> Iterator[str]:
        """Names of the streams that are still in the open part, oldest first."""
        for path in sorted(_logs_below(self._open), key=lambda path: path.stat().st_mtime):
            yield self._stream(path)

    def shipped(self, stream: str) -> None:
        """The server has all of the stream, and it has ended."""
        relative, hashed = _relative(stream)
        target = self._shipped / relative
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._open / relative, target)
            if hashed:
                os.replace((self._open / relative).with_suffix(_NAME), target.with_suffix(_NAME))
        _remove_empty(self._open, (self._open / relative).parent)

    def forget(self, shipped_after: float, unshipped_after: float) -> None:
        """Removes shipped files and, much later, files that no server ever took; both ages in seconds.

        The log of a running attempt stays, however long the step has said nothing.
        """
        for folder, age in ((self._shipped, shipped_after), (self._open, unshipped_after)):
            limit = time.time() - age
            for path in _logs_below(folder):
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < limit and not self._is_written_to(path):
                        path.unlink()
                        path.with_suffix(_NAME).unlink(missing_ok=True)
                        _remove_empty(folder, path.parent)

    def _is_written_to(self, path: Path) -> bool:
        with self._lock:
            return str(path) in self._written_to

    def _let_go(self, path: str) -> None:
        with self._lock:
            self._written_to[path] -= 1
            if not self._written_to[path]:
                del self._written_to[path]

    def _stream(self, path: Path) -> str:
        name = path.with_suffix(_NAME)
        if name.exists():
            return name.read_text()
        parts = str(path.relative_to(self._open)).removesuffix(_SUFFIX).split("/")
        return "/".join(_part(part) for part in parts)


def _relative(stream: str) -> tuple[str, bool]:
    """Path of a stream below a folder, and whether a part was too long for the file system and had to be hashed."""
    parts = [_file_name(part) for part in stream.split("/")]
    short = [_short(part) for part in parts]
    return "/".join(short) + _SUFFIX, short != parts


def _file_name(part: str) -> str:
    """What a part of a stream's name is called on the disk; nothing leads out of the folder."""
    return f"%{part}" if part in _UNSAFE else quote(part, safe=_SAFE)


def _part(name: str) -> str:
    """The part of a stream's name that is called so on the disk."""
    return name[1:] if name[1:] in _UNSAFE and name.startswith("%") else unquote(name)


def _short(part: str) -> str:
    if len(part) <= _LONGEST:
        return part
    return f"{part[:100]}~{hashlib.sha256(part.encode()).hexdigest()[:32]}"


def _logs_below(folder: Path) -> list[Path]:
    """Unlike `rglob`, it passes over folders that are removed meanwhile."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names if name.endswith(_SUFFIX)]


def _remove_empty(root: Path, folder: Path) -> None:
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty, or a new attempt has just made it again
        folder = folder.parent
