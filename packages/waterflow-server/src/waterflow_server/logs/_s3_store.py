"""The log store in an S3-compatible bucket, which several servers may share without sharing a disk."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
from collections import Counter
from datetime import timedelta
from pathlib import Path

from ._bucket import Bucket, BucketAddress
from ._file_store import FileLogStore, oldest
from ._journal_file import JournalFile
from ._merging import SETTLED, merge_settled
from ._mirror import MirroredJournal
from ._segments import FEWEST
from ._sigv4 import Credentials
from ._store import StoreUnavailable


class S3LogStore(FileLogStore):
    """A :class:`LogStore` in a bucket, read from mirrors in ``cache``, a directory of this process alone.

    The server has to know conditional writes (``If-None-Match``), as Amazon S3 has since 2024: :meth:`check` finds out.
    """

    def __init__(self, address: BucketAddress, credentials: Credentials, cache: Path) -> None:
        self._bucket = Bucket(address, credentials)
        self._address = address
        self._cache = _own_directory(cache)
        super().__init__(self._cache)

    async def check(self) -> None:
        """Whether the bucket can be used. Raises StoreUnavailable."""
        await self._in_thread(self._check)

    async def compact(self, settled: timedelta = SETTLED) -> int:
        """Merge small objects that have been there for so long; the number of them. Raises StoreUnavailable."""
        merged = 0
        for run in await self._in_thread(self._chatty):
            merged += await self._in_thread(lambda: merge_settled(self._bucket, run, settled))  # noqa: B023 (awaited at once)
        return merged

    def close(self) -> None:
        """End the threads and remove the mirrors."""
        super().close()
        self._bucket.close()
        shutil.rmtree(self._cache, ignore_errors=True)

    def _check(self) -> None:
        key = f".check/{secrets.token_hex(8)}"
        try:
            self._bucket.put_new(key, b"1")
            if self._bucket.put_new(key, b"2"):
                raise StoreUnavailable(
                    f"the log store {self._address} cannot be used: it does not know conditional writes "
                    "(If-None-Match), without which several servers would write over each other's lines"
                )
        finally:
            with contextlib.suppress(StoreUnavailable):
                self._bucket.delete(key)

    def _open(self, path: Path, run: str) -> JournalFile:
        return MirroredJournal(path, run, self._bucket)

    def _let_go(self, journal: JournalFile) -> None:
        journal.drop()

    def _chatty(self) -> list[str]:
        """Runs with so many objects that it is worth a look."""
        objects = Counter(each.key.partition("/")[0] for each in self._bucket.list())
        return [run for run, count in objects.items() if count >= FEWEST]

    def _unused(self, time: timedelta, most: int) -> list[str]:
        written: dict[str, float] = {}
        for each in self._bucket.list():
            run = each.key.partition("/")[0]
            written[run] = max(written.get(run, 0.0), each.modified.timestamp())
        return oldest(((at, run) for run, at in written.items()), time, most)


def _own_directory(cache: Path) -> Path:
    """``<host>-<process id>``; those of processes of this host that are gone are removed."""
    host = socket.gethostname()
    for other in cache.glob(f"{host}-*"):
        pid = other.name.rpartition("-")[2]
        if not pid.isdigit() or int(pid) == os.getpid() or not Path(f"/proc/{pid}").exists():
            shutil.rmtree(other, ignore_errors=True)
    own = cache / f"{host}-{os.getpid()}" / secrets.token_hex(4)
    own.mkdir(parents=True, exist_ok=True)
    return own
