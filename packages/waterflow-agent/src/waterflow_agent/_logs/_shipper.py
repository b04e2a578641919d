"""Ships spooled logs to the server: in order, each line once, whatever is restarted, and never in a step's way.

The server's length of a stream is the truth: a chunk is taken only at exactly that offset, and the answer names it.
"""

from __future__ import annotations

import http.client
import logging
import os
import threading
import time

import msgspec

from .._notices import Notices
from ._http import Answer, LogConnection
from ._spool import Spool

logger = logging.getLogger("waterflow.agent")

CHUNK = 256 * 1024
"""Bytes sent at once; a single longer line is sent alone."""

_LONGEST_LINE = 4 * 1024 * 1024
_BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_DENIED_BACK_OFF = 30.0
_LOOK_AT_KEY = 1.0
_REFUSED = frozenset({400, 404, 405, 410, 413, 415, 422})
_IDLE = 3600.0


class _Stream(msgspec.Struct):
    """How far a stream is shipped, and whether its log has ended."""

    offset: int = 0
    ended: bool = False


class Shipper:
    """A thread that sends what the spool has."""

    def __init__(self, spool: Spool, connection: LogConnection, notices: Notices) -> None:
        self._spool = spool
        self._connection = connection
        self._notices = notices
        self._streams: dict[str, _Stream] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._idle = threading.Event()
        self._stopping = False
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="waterflow-logs", daemon=True)

    def start(self) -> None:
        """Begins with what former incarnations left. A stream that was written to before may still grow."""
        for stream in self._spool.unshipped():
            self._streams.setdefault(stream, _Stream(ended=True))
        self._wake.set()
        self._thread.start()

    def written(self, stream: str) -> None:
        """The stream has grown. Cheap: called from steps."""
        self._note(stream, ended=False)

    def ended(self, stream: str) -> None:
        """The stream grows no more; its file is filed away once the server has it."""
        self._note(stream, ended=True)

    def stop(self, within: float) -> bool:
        """Ships what is left, for at most that many seconds. False if something is left for the next start."""
        self._wake.set()
        done = self._idle.wait(within)
        self._stopping = True
        self._wake.set()
        self._thread.join(1.0)
        return done

    def _note(self, stream: str, ended: bool) -> None:
        with self._lock:
            self._streams.setdefault(stream, _Stream()).ended |= ended
            self._idle.clear()
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping:
            if pause:
                self._rest(pause)  # the server is away: what is written meanwhile waits
            self._wake.wait(_IDLE)
            self._wake.clear()
            try:
                pause = self._round()
            except Exception:  # nobody else would ship again before the agent is restarted
                logger.exception("step logs could not be shipped: a defect of the agent; they are kept and sent later")
                pause = _BACK_OFF[-1]
            if pause:
                self._wake.set()
        self._connection.close()

    def _rest(self, seconds: float) -> None:
        """Waits; another key is tried as soon as it is there."""
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_AT_KEY))
            if self._connection.key_renewed():
                return

    def _round(self) -> float:
        """Sends chunk after chunk, stream by stream in turn, until nothing is left. Answers how long to pause."""
        busy = True
        while busy and not self._stopping:
            busy = False
            with self._lock:
                streams = list(self._streams.items())
            for name, stream in streams:
                pause, more = self._ship(name, stream)
                if pause:
                    return pause
                busy = busy or more
        with self._lock:
            # What has not ended is looked at again when it has grown.
            if not any(stream.ended for stream in self._streams.values()) and not self._wake.is_set():
                self._idle.set()
        return 0.0

    def _ship(self, name: str, stream: _Stream) -> tuple[float, bool]:
        """Sends one chunk. Answers a pause if the server is away, and whether there is more."""
        ended = stream.ended  # read before the file: what is written after it is seen in the next round
        try:
            data = _read(self._spool, name, stream.offset)
        except OSError as error:
            self._drop(name, f"cannot be read: {error.strerror}")
            return 0.0, False
        if not data:
            if ended:
                self._finish(name)
            return 0.0, False
        try:
            answer = self._connection.put(name, stream.offset, data)
        except (OSError, http.client.HTTPException) as error:
            return self._away(str(error) or type(error).__name__), False
        return self._take(name, stream, answer, len(data))

    def _take(self, name: str, stream: _Stream, answer: Answer, sent: int) -> tuple[float, bool]:
        if answer.status < 300 and answer.offset is not None:
            self._there()
            stream.offset = answer.offset
            return 0.0, True
        if answer.status == 409 and answer.offset is not None:
            self._there()
            return self._correct(name, stream, answer.offset)
        if answer.status in _REFUSED:
            self._there()
            self._drop(name, f"is refused by the server ({answer.status} {answer.detail})")
            return 0.0, False
        if answer.status in {401, 403}:
            self._away(f"the server denies it ({answer.status} {answer.detail}); check {self._connection.key_setting}")
            return _DENIED_BACK_OFF, False
        del sent
        return max(self._away(f"{answer.status} {answer.detail}"), answer.retry_after or 0.0), False

    def _correct(self, name: str, stream: _Stream, expected: int) -> tuple[float, bool]:
        """The server has more or less than we thought."""
        try:
            length = self._spool.path(name).stat().st_size
        except OSError:
            length = 0
        if expected > length:
            self._drop(name, f"is longer on the server ({expected} bytes) than here ({length} bytes)")
            return 0.0, False
        stream.offset = expected
        return 0.0, True

    def _finish(self, name: str) -> None:
        self._forget(name)
        try:
            self._spool.shipped(name)
        except OSError as error:
            logger.warning("log %s is shipped, but cannot be filed away: %s", name, error.strerror)

    def _drop(self, name: str, why: str) -> None:
        self._forget(name)
        logger.error("log %s %s; it stays in the spool and is not shipped", name, why)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._streams.pop(name, None)

    def _away(self, why: str) -> float:
        self._notices.say("logs", logging.WARNING, f"step logs cannot be shipped: {why}; they are kept and sent later")
        pause = _BACK_OFF[min(self._failures, len(_BACK_OFF) - 1)]
        self._failures += 1
        return pause

    def _there(self) -> None:
        self._failures = 0
        self._notices.clear("logs", "step logs are shipped again")


def _read(spool: Spool, name: str, offset: int) -> bytes:
    """Whole lines from an offset: up to a chunk, or one line that is longer."""
    fd = os.open(spool.path(name), os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = CHUNK
        while True:
            data = os.pread(fd, size, offset)
            end = data.rfind(b"\n") + 1
            if end or len(data) < size or size >= _LONGEST_LINE:
                return data[:end]
            size *= 4
    finally:
        os.close(fd)
