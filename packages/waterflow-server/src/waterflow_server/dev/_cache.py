"""Waterflow's cache of the Temporal CLI: `<cache>/temporal/temporal`, filled by one process at a time."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

Report = Callable[[str], None]
REPORT_EVERY = 5.0
_LOCK_POLL = 0.2
_STAGING = ".fetch-"


class Cache:
    """The folder, its lock and the one binary in it."""

    def __init__(self, cache_dir: Path) -> None:
        self.folder = cache_dir / "temporal"
        self.binary = self.folder / "temporal"

    @contextlib.asynccontextmanager
    async def exclusive(self, report: Report) -> AsyncGenerator[None]:
        """Holds the folder for this process; waits for another that is fetching, and says so every 5 s.

        Raises OSError when the folder cannot be created or written.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / "fetch.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await _acquire(lock, report)
            # We hold the lock, so what lies here was left by a process that was killed.
            for leftover in self.folder.glob(f"{_STAGING}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def staging(self) -> Generator[Path]:
        """A directory on the cache's file system for something half done; removed at the end."""
        with tempfile.TemporaryDirectory(prefix=_STAGING, dir=self.folder, ignore_cleanup_errors=True) as name:
            yield Path(name)

    def publish(self, fetched: Path) -> None:
        """Moves a complete binary to its place in one step: a reader sees the old one, the new one or none."""
        fetched.chmod(0o755)
        fetched.replace(self.binary)


async def _acquire(lock: int, report: Report) -> None:
    started = said = time.monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            if now - said >= REPORT_EVERY:
                report(f"Waiting for another process that is fetching Temporal ({now - started:.0f} s)")
                said = now
            await asyncio.sleep(_LOCK_POLL)
        else:
            return
