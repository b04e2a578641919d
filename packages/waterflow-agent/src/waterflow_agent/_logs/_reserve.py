"""Space that is kept back, so that a full disk can still be told of."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

SIZE = 64 * 1024
"""Bytes: enough for the last records of hundreds of steps."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Reserve:
    """A file that is only there to be removed when its space is needed. May be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._there = False
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Takes the space, if it is not taken; on a full disk, later. Raises OSError where nothing can be written."""
        with self._lock:
            if self._there:
                return
            try:
                self._path.write_bytes(bytes(SIZE))
                self._there = True
            except OSError as error:
                self._path.unlink(missing_ok=True)
                if error.errno not in _FULL:
                    raise

    def give(self) -> bool:
        """Frees the space; False if it was free already."""
        with self._lock:
            was, self._there = self._there, False
            if was:
                self._path.unlink(missing_ok=True)
            return was
