"""One living instance for each data directory."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from ._errors import DataDirectoryInUse

_POLL = 0.05


class DataDirectoryLock:
    """A lock on a file in the data directory.

    The kernel releases it when the last process that has the file open is gone, so there are no stale locks. The
    Temporal server inherits `fd`: a server whose owner was killed keeps its data directory until it has ended too.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    async def acquire(cls, directory: Path, patience: float) -> DataDirectoryLock:
        """Locks the directory; tries for `patience` seconds, because a predecessor may be just ending.

        Raises DataDirectoryInUse, naming the process that holds it.
        """
        path = directory / "temporal.lock"
        fd = _open(path)
        try:
            async with asyncio.timeout(patience):
                await _until_locked(fd)
        except TimeoutError:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise _in_use(directory, holder) from None
        except BaseException:
            os.close(fd)
            raise
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return cls(fd)

    def release(self) -> None:
        """Gives the directory back."""
        os.close(self.fd)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DataDirectoryInUse(
            f"The data directory {path.parent} cannot be used: {error.strerror}. Choose another with --data-dir."
        ) from None


async def _until_locked(fd: int) -> None:
    while True:
        try:
            # Not blocking: a wait inside flock could not be cancelled.
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(_POLL)


def _in_use(directory: Path, holder: str) -> DataDirectoryInUse:
    return DataDirectoryInUse(
        f"The data directory {directory} is in use by another instance (process {holder}). "
        "Stop that one, or choose another directory with --data-dir.",
        {"data_dir": str(directory), "pid": holder},
    )
