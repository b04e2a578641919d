"""A part of the stack that is kept running: started again when it ends by itself, until that happens too often."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ._cache import Report
from ._errors import DevError, StackFailed
from ._process import ChildProcess, with_log
from ._temporal import EmbeddedTemporal

MAX_RESTARTS = 5
WINDOW = 60.0
_FIRST_DELAY = 0.2


class Part(Protocol):
    """What the supervisor needs of a part."""

    @property
    def name(self) -> str:
        """The part, for messages."""
        ...

    async def crash(self) -> DevError:
        """Waits until the part ends without being asked to; the error says how."""
        ...

    async def restart(self) -> None:
        """Starts it again. Raises DevError when it does not start."""
        ...


class TemporalPart:
    """The embedded Temporal server as a part."""

    name = "Temporal"

    def __init__(self, temporal: EmbeddedTemporal) -> None:
        self._temporal = temporal

    async def crash(self) -> DevError:
        """See Part."""
        await self._temporal.crashed.wait()
        return self._temporal.crash or StackFailed("Temporal ended unexpectedly.")

    async def restart(self) -> None:
        """See Part."""
        await self._temporal.restart()


class ProcessPart:
    """A part that is one child process: the Waterflow server, or an agent."""

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environ = environ
        self._child: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """The running process; None when there is none."""
        return self._child.pid if self._child and not self._child.exited.is_set() else None

    async def restart(self) -> None:
        """Starts the process."""
        self._child = await ChildProcess.start(self.name, self._command, log=self.log, environ=self._environ)

    async def crash(self) -> DevError:
        """See Part."""
        child = self._require_child()
        await child.exited.wait()
        message = with_log(f"The {child.describe()}, which is unexpected.", self.log, child.log_tail())
        return StackFailed(message, {"part": self.name, "exit_code": child.exit_code, "log": str(self.log)})

    def with_log(self, message: str) -> str:
        """`message` and the last lines that the process wrote."""
        return with_log(message, self.log, self._child.log_tail() if self._child else [])

    async def stop(self, grace: float) -> None:
        """Ends the process: SIGTERM, after `grace` seconds SIGKILL to its whole group."""
        if self._child:
            await self._child.stop(grace)

    def _require_child(self) -> ChildProcess:
        if self._child is None:
            raise StackFailed(f"The {self.name} was not started.")
        return self._child


class RestartBudget:
    """At most 5 restarts in 60 s, each a little later than the one before."""

    def __init__(self) -> None:
        self._spent: deque[float] = deque()

    def spend(self) -> float | None:
        """The seconds to wait before the next restart, or None when there is none left."""
        now = time.monotonic()
        while self._spent and now - self._spent[0] > WINDOW:
            self._spent.popleft()
        if len(self._spent) == MAX_RESTARTS:
            return None
        self._spent.append(now)
        return _FIRST_DELAY * 2 ** (len(self._spent) - 1)


async def supervise(part: Part, report: Report) -> None:
    """Starts the part again each time it ends by itself, and says so; cancel it before stopping the part.

    Raises StackFailed when the part ends for the sixth time in a minute.
    """
    budget = RestartBudget()
    error = await part.crash()
    while (delay := budget.spend()) is not None:
        report(f"{error.message}\nStarting {part.name} again in {delay:.1f} s")
        await asyncio.sleep(delay)
        try:
            await part.restart()
        except DevError as failed:
            error = failed
        else:
            error = await part.crash()
    raise StackFailed(
        f"{part.name} ended more than {MAX_RESTARTS} times in {WINDOW:.0f} s. The last time: {error.message}",
        {"part": part.name, **error.details},
    )
