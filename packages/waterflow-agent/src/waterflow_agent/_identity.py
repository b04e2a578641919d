"""Who this agent is: a stable id in its state directory, which one process at a time may use."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import signal
import socket
from pathlib import Path

import msgspec

from waterflow_sdk.wire import AgentHome

from ._errors import StateError
from ._process_table import started_at

logger = logging.getLogger("waterflow.agent")

_TAKE_OVER_WITHIN = 45.0
_POLL = 0.1


class Owner(msgspec.Struct, frozen=True):
    """The process that holds a state directory, as its lock file says."""

    pid: int
    started: int


class Nonce(msgspec.Struct, frozen=True):
    """What makes a state directory this one. ``inode`` is that of the file it is kept in: a copy has another."""

    value: str
    inode: int


class StateDirectory:
    """A state directory, locked. The lock goes with the process, however that ends.

    A newer agent on the same directory takes over: it asks the former process to stop (SIGTERM) and waits until it has.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1

    async def lock(self, *, take_over: bool = True, within: float = _TAKE_OVER_WITHIN) -> None:
        """Takes the directory. Raises StateError if it cannot be used, or is not free ``within`` seconds."""
        self._fd = self._open()
        if self._try_lock():
            return
        owner = self._owner()
        if not take_over or owner is None:
            self._refuse(owner, "stop it first, or give this agent another state directory (--state-dir)")
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if owner and started_at(owner.pid) == owner.started:
                os.kill(owner.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(within):
                while not self._try_lock():  # noqa: ASYNC110 (the kernel has no event for a lock)
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            self._refuse(owner, f"it was asked to stop, and has not within {within:g} s")

    def release(self) -> None:
        """Gives the directory back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def agent_id(self, wanted: str | None) -> str:
        """The id of this agent: ``wanted``, else the one kept here, else a new one that is kept from now on."""
        file = self.path / "agent-id"
        if wanted:
            return wanted
        with contextlib.suppress(FileNotFoundError):
            kept = file.read_text(encoding="utf-8", errors="replace").strip()
            if kept and kept.isprintable() and len(kept) <= 255:
                return kept
        made = f"{_host()[:40]}-{secrets.token_hex(4)}"
        temporary = file.with_suffix(".new")
        temporary.write_text(made + "\n", encoding="utf-8")
        temporary.replace(file)
        return made

    def home(self) -> AgentHome:
        """Where this process lives. The nonce is made once; a copied directory gets one of its own."""
        return AgentHome(nonce=self._nonce(), directory=str(self.path), process=os.getpid())

    def _nonce(self) -> str:
        file = self.path / "nonce"
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
            kept = msgspec.json.decode(file.read_bytes(), type=Nonce)
            if kept.inode == file.stat().st_ino and 0 < len(kept.value) <= 255:
                return kept.value
        made = secrets.token_hex(16)
        temporary = file.with_suffix(".new")
        try:
            with temporary.open("wb") as new:
                new.write(msgspec.json.encode(Nonce(made, os.fstat(new.fileno()).st_ino)))
            temporary.replace(file)
        except OSError as error:
            logger.warning(
                "%s cannot be written (%s): started after a kill, this agent has to wait until its lease has run out",
                file,
                error.strerror,
            )
        return made

    def _open(self) -> int:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"the state directory {self.path} cannot be used: {error.strerror}; give another one with --state-dir",
                {"path": str(self.path)},
            ) from error

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        owner = Owner(pid=os.getpid(), started=started_at(os.getpid()))
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, msgspec.json.encode(owner), 0)
        return True

    def _owner(self) -> Owner | None:
        try:
            return msgspec.json.decode(os.pread(self._fd, 1000, 0), type=Owner)
        except msgspec.DecodeError:
            return None  # it has the lock, and is just about to say who it is

    def _refuse(self, owner: Owner | None, remedy: str) -> None:
        self.release()
        who = f"process {owner.pid}" if owner else "another process"
        raise StateError(f"the state directory {self.path} is used by {who}: {remedy}", {"path": str(self.path)})


def new_incarnation() -> str:
    """Names one start of the agent; never the same twice."""
    return secrets.token_hex(8)


def _host() -> str:
    name = socket.gethostname().split(".")[0].lower()
    return "".join(char for char in name if char.isalnum() or char == "-") or "agent"
