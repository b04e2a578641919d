"""What this host did: one small file per attempt, so that one attempt is executed at most once.

A file holds JSON lines: ``start`` when the attempt begins, ``process`` for each process group and again for its end,
``outcome`` at the end of all. Outcomes may hold secrets, so they are sealed with the payload codec. A line that a crash
cut is ignored. The files are written without waiting for the disk: they survive the death of the agent, not a loss of
power, which no step survives.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from waterflow_sdk.codec import PayloadCodec
from waterflow_sdk.wire import AttemptKey, NodeOutcome

from ._process_table import boot_id

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class JournalEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a journal file; exactly one of the fields ``key``, ``group``, ``outcome`` says what it is.

    ``boot`` is that of the host when the attempt started, ``token`` Temporal's name of the activity that delivered it,
    ``node`` what it runs.
    ``group_started`` is 0 when the group has ended; ``user`` is whose its processes are, empty for the agent's own.
    """

    key: AttemptKey | None = None
    incarnation: str = ""
    started: datetime | None = None
    boot: str = ""
    token: bytes = b""
    node: str = ""
    group: int = 0
    group_started: int = 0
    user: str = ""
    outcome: bytes = b""
    metadata: dict[str, bytes] = {}


class Unfinished(msgspec.Struct, frozen=True):
    """An attempt of a former incarnation that has no outcome. ``groups``: process groups that may still live, with the
    start time of their leader. ``users``: other users that processes of it may belong to.
    """

    key: AttemptKey
    started: datetime
    groups: dict[int, int]
    token: bytes = b""
    users: frozenset[str] = frozenset()
    node: str = ""


class Journal:
    """The attempts of one state directory."""

    def __init__(self, directory: Path, codec: PayloadCodec) -> None:
        self._directory = directory
        self._codec = codec
        self._open: dict[str, int] = {}  # files of attempts that run, so that a step opens its own only once
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(JournalEntry)
        self._boot = boot_id()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def start(self, key: AttemptKey, incarnation: str, started: datetime, token: bytes = b"", node: str = "") -> None:
        """Before anything of the attempt is done. Raises OSError: an attempt that cannot be journalled is not run."""
        entry = JournalEntry(key=key, incarnation=incarnation, started=started, boot=self._boot, token=token, node=node)
        path = self._path(key)
        fd = os.open(path, _APPEND, 0o600)
        try:
            self._write(fd, entry)
        except OSError:
            os.close(fd)
            raise
        self._open[path] = fd

    def process(self, key: AttemptKey, group: int, group_started: int, user: str = "") -> None:
        """A process group of the attempt, with the start time of its leader, and the user that it runs as."""
        self._append(key, JournalEntry(group=group, group_started=group_started, user=user))

    def process_ended(self, key: AttemptKey, group: int) -> None:
        """Nothing of the group is left: its number may be given to somebody else."""
        self._append(key, JournalEntry(group=group))

    def finish(self, key: AttemptKey, outcome: NodeOutcome) -> None:
        """The outcome: from now on the same key is answered with it."""
        sealed = self._codec.seal(self._encoder.encode(outcome))
        try:
            self._append(key, JournalEntry(outcome=sealed.data, metadata=sealed.metadata))
        finally:
            if (fd := self._open.pop(self._path(key), None)) is not None:
                os.close(fd)

    def outcome(self, key: AttemptKey) -> NodeOutcome | None:
        """The journalled outcome of an attempt that has ended. Raises CodecError if its key is gone."""
        for entry in self._read(self._path(key)):
            if entry.metadata:
                return msgspec.json.decode(self._codec.open(entry.outcome, entry.metadata), type=NodeOutcome)
        return None

    def unfinished(self) -> list[Unfinished]:
        """Attempts that have a start and no outcome."""
        found = (self._unfinished(list(self._read(str(path)))) for path in sorted(self._directory.glob("*.ndjson")))
        return [attempt for attempt in found if attempt]

    def forget_older_than(self, seconds: float) -> None:
        """Removes what nobody can ask for any more; what still runs can be asked for, however long ago it began."""
        limit = time.time() - seconds
        for path in self._directory.glob("*.ndjson"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < limit and str(path) not in self._open:
                    path.unlink()

    def _unfinished(self, entries: list[JournalEntry]) -> Unfinished | None:
        start = next((entry for entry in entries if entry.key and entry.started), None)
        if start is None or start.key is None or start.started is None or any(entry.metadata for entry in entries):
            return None
        groups = {entry.group: entry.group_started for entry in entries if entry.group}
        living = {group: since for group, since in groups.items() if since and start.boot in ("", self._boot)}
        users = frozenset(entry.user for entry in entries if entry.user)
        return Unfinished(start.key, start.started, living, start.token, users, start.node)

    def _append(self, key: AttemptKey, entry: JournalEntry) -> None:
        path = self._path(key)
        if path in self._open:
            self._write(self._open[path], entry)
            return
        fd = os.open(path, _APPEND, 0o600)  # a former incarnation began it
        try:
            self._write(fd, entry)
        finally:
            os.close(fd)

    def _write(self, fd: int, entry: JournalEntry) -> None:
        # The line break in front ends a line that a crash or a full disk may have cut.
        line = b"\n" + self._encoder.encode(entry) + b"\n"
        if os.write(fd, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _read(self, path: str) -> Iterator[JournalEntry]:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return
        for line in data.splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                if line:
                    yield self._decoder.decode(line)

    def _path(self, key: AttemptKey) -> str:
        return f"{self._directory}/{hashlib.sha256(str(key).encode()).hexdigest()}.ndjson"
