"""A run, as the client sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from ..wire import CancelRequest, LogStreamKind, RunState
from ._errors import RunNotFound, ServerUnavailable, WorkflowTimeout
from ._logs import LogFilter, LogStream
from ._transport import Transport, pauses, segment

View = Literal["summary", "full"]


class Run:
    """A run on the server, by its id. Making one sends nothing.

    ``url`` is its address for people, ``created`` is false when the idempotency key had already made it, ``warnings``
    are the language's diagnostics of severity below error; all three are known after a submit only.
    """

    def __init__(
        self,
        transport: Transport,
        id: str,
        *,
        url: str = "",
        created: bool = True,
        warnings: tuple[Mapping[str, Any], ...] = (),
    ) -> None:
        self.id = id
        self.url = url
        self.created = created
        self.warnings = warnings
        self._transport = transport
        self._path = f"/v1/workflows/{segment(id)}"

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    async def status(self, view: View = "full") -> RunState:
        """The state tree now; ``summary`` leaves the steps of the jobs out. Raises :class:`RunNotFound`."""
        return await self._transport.call("GET", self._path, RunState, query={"view": view}, missing=RunNotFound)

    async def wait(self, timeout: float | None = None) -> RunState:  # noqa: ASYNC109 - same as the synchronous one
        """Wait until the run has ended, whatever its result; give its full state.

        A server that goes away meanwhile is waited for too. Raises :class:`WorkflowTimeout` after ``timeout`` seconds
        (None = never).
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._ended()
        except TimeoutError:
            raise WorkflowTimeout(
                f"run {self.id} did not end within {timeout:g} seconds", details={"run": self.id}
            ) from None

    async def _ended(self) -> RunState:
        waits = pauses(longest=1.0)
        while True:
            try:
                state = await self.status("summary")
                if state.state.ended:
                    return await self.status("full")
            except ServerUnavailable:
                pass  # a server that starts anew is no end of the run; `timeout` bounds the wait
            await asyncio.sleep(next(waits))

    def logs(
        self,
        *,
        follow: bool = False,
        job: str | None = None,
        step: str | None = None,
        host: str | None = None,
        attempt: int | None = None,
        stream: LogStreamKind | None = None,
        tail: int | None = None,
        since: datetime | None = None,
        search: str | None = None,
        give_up_after: float | None = None,
    ) -> LogStream:
        """The log: what there is, or with ``follow`` what comes, until the run has ended.

        The filters are those of :class:`LogFilter`; ``give_up_after`` is the number of seconds without any contact to
        the server after which :class:`ServerUnavailable` is raised (None: never while following, else the client's
        time-out).
        """
        filter = LogFilter(
            job=job, step=step, host=host, attempt=attempt, stream=stream, tail=tail, since=since, search=search
        )
        return LogStream(self._transport, f"{self._path}/logs", filter, follow=follow, give_up_after=give_up_after)

    async def cancel(self, reason: str = "", *, force: bool = False) -> None:
        """Ask the run to end; ``force`` ends it at once, without ``finally``.

        Raises :class:`Conflict` when it has ended already.
        """
        body = CancelRequest(reason=reason, force=force)
        await self._transport.send("POST", f"{self._path}/cancel", body=body, missing=RunNotFound)
