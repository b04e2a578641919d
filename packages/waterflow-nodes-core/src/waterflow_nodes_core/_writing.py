"""Changing a file so that nobody ever sees half of a change."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

_NEW_FILE = 0o644


def replace(path: Path, data: bytes, mode: int | None) -> bool:
    """Give the file this content; True if that changed anything.

    The new file is written beside the old one, flushed to the disk and renamed over it (POSIX rename is atomic).
    It keeps the old one's permissions, and its owner if the agent may set it.
    """
    if path.is_dir():
        raise IsADirectoryError
    old = path.stat() if path.exists() else None
    wanted = mode if mode is not None else stat.S_IMODE(old.st_mode) if old else _NEW_FILE
    if old is not None and not stat.S_ISREG(old.st_mode):
        path.write_bytes(data)  # a device or a FIFO: to replace it would remove it
        return True
    if old is not None and old.st_size == len(data) and path.read_bytes() == data:
        return _set_mode(path, wanted)
    with replacing(path, wanted, old) as file:
        file.write(data)
    return True


@contextmanager
def replacing(path: Path, mode: int | None = None, old: os.stat_result | None = None) -> Generator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends without an exception, and is removed otherwise.

    ``mode`` is 0644 by default; ``old`` is the replaced file, whose owner is kept.
    """
    descriptor, temporary = mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            yield file
            if old is not None:
                with suppress(PermissionError):
                    os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(
                descriptor, _NEW_FILE if mode is None else mode
            )  # after the owner, whose change drops set-id bits
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def append(path: Path, data: bytes, mode: int | None) -> bool:
    """Add to the end; True if that changed anything."""
    new = not path.exists()
    with path.open("ab") as file:
        file.write(data)
    wanted = mode if mode is not None else _NEW_FILE if new else None
    changed = wanted is not None and _set_mode(path, wanted)
    return bool(data) or new or changed


def _set_mode(path: Path, wanted: int) -> bool:
    if stat.S_IMODE(path.stat().st_mode) == wanted:
        return False
    path.chmod(wanted)
    return True
