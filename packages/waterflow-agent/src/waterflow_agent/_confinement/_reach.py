"""Finding and signalling processes of another user, which only that user (or root) may do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pwd
import re
import signal
from collections.abc import Iterable, Sequence
from typing import Protocol

from .._process_table import MARK
from ._argv import become
from ._users import Identity, Way

logger = logging.getLogger("waterflow.agent")

_TIMEOUT = 30.0
_PID = re.compile(rb"/proc/(\d+)/environ")
_FIND = 'exec grep -lszxFe "$0" /proc/[0-9]*/environ'
"""A mark is a whole variable. Whose environment cannot be read is none of this user's, or has just ended."""
_KILL = 'kill -s "$0" -- "$@"'


class Reach(Protocol):
    """To the processes of a user."""

    async def marked(self, keys: Iterable[str]) -> list[int]:
        """Those of its processes that carry the mark of one of these attempts."""
        ...

    async def send(self, targets: Sequence[int], number: signal.Signals) -> None:
        """Send a signal to processes, and to process groups (negative numbers)."""
        ...


def reach_as(user: str) -> Reach | None:
    """To a user whose processes the agent cannot reach by itself; None where it can, or the user is gone."""
    found = identity_by_sudo(user) if user else None
    return None if found is None else SudoReach(found)


def identity_by_sudo(name: str) -> Identity | None:
    """A user whose things only sudo leads to: the agent is neither root nor that user. None for all others."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    if os.geteuid() in (0, found.pw_uid):
        return None
    return Identity(name=name, uid=found.pw_uid, gid=found.pw_gid, home=found.pw_dir, shell="", way=Way.SUDO)


class SudoReach:
    """By sudo, as that user."""

    def __init__(self, user: Identity) -> None:
        self._user = user

    async def marked(self, keys: Iterable[str]) -> list[int]:
        """As :meth:`Reach.marked`."""
        found: set[int] = set()
        for key in keys:
            output = await self._run(_FIND, f"{MARK}={key}")
            found.update(int(pid) for pid in _PID.findall(output))
        return sorted(found)

    async def send(self, targets: Sequence[int], number: signal.Signals) -> None:
        """As :meth:`Reach.send`."""
        if targets:
            await self._run(_KILL, number.name.removeprefix("SIG"), *(str(target) for target in targets))

    async def _run(self, script: str, *arguments: str) -> bytes:
        """What a script prints. Arguments are its ``$0``, ``$1``, …; that it fails is no news: processes end."""
        process = await asyncio.create_subprocess_exec(
            *become(self._user),
            "/bin/sh",
            "-c",
            script,
            *arguments,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(_TIMEOUT):
                output, errors = await process.communicate()
        except TimeoutError:
            logger.error("sudo does not answer: processes of %s cannot be reached", self._user.name)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                process.kill()
            return b""
        if errors.startswith(b"sudo:"):
            said = errors.decode(errors="replace")[:300]
            logger.error("processes of %s cannot be reached: %s", self._user.name, said)
        return output
