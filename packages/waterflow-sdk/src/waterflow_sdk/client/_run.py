"""A run, as the client sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from ..wire import (
    ApprovalRequest,
    CancelRequest,
    EditRequest,
    EventRequest,
    LogStreamKind,
    PauseRequest,
    PlanView,
    RetryRequest,
    RunOutputs,
    RunState,
    SubmitResponse,
    Wire,
)
from ._errors import RunNotFound, ServerUnavailable, WorkflowTimeout
from ._events import EventStream
from ._logs import LogFilter, LogStream
from ._plan import Edited, send_edit
from ._transport import Transport, pauses, segment

View = Literal["summary", "full"]
RetryScope = Literal["failed", "failed-hosts", "failed-jobs", "job", "step", "all"]


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

    async def status(self, view: View = "full", at: datetime | None = None) -> RunState:
        """The state tree now, or as it was ``at`` a moment; ``summary`` leaves the steps of the jobs out.

        Raises :class:`RunNotFound`, and :class:`InvalidRequest` for a moment before the submit.
        """
        query = {"view": view, "at": at.astimezone().isoformat() if at is not None else None}
        return await self._transport.call("GET", self._path, RunState, query=query, missing=RunNotFound)

    async def definition(self) -> str:
        """The workflow file as it was submitted. Raises :class:`RunNotFound`."""
        return await self._transport.text(f"{self._path}/definition", missing=RunNotFound)

    async def outputs(self) -> RunOutputs:
        """The outputs of the run and of its job instances, as far as it has come. Raises :class:`RunNotFound`."""
        return await self._transport.call("GET", f"{self._path}/outputs", RunOutputs, missing=RunNotFound)

    async def delete(self) -> None:
        """Forget the run: its state, that of its jobs, and its logs. Raises :class:`RunNotEnded` while it lives.

        Temporal may need half a minute for a run that has ended only just now.
        """
        await self._transport.send("DELETE", self._path, missing=RunNotFound)

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

    def events(self, *, give_up_after: float | None = None) -> EventStream:
        """What happens in the run: all so far, then what comes, until it has ended; each event once.

        ``give_up_after`` is the number of seconds without any contact to the server after which
        :class:`ServerUnavailable` is raised (None: never).
        """
        return EventStream(self._transport, f"{self._path}/events", give_up_after=give_up_after)

    async def cancel(self, reason: str = "", *, force: bool = False) -> None:
        """Ask the run to end; ``force`` ends it at once, without ``finally``.

        Raises :class:`RunClosed` when it has ended already.
        """
        await self._tell("cancel", CancelRequest(reason=reason, force=force))

    async def pause(self, reason: str = "") -> None:
        """Start no new step; what runs finishes, timers go on. Raises :class:`RunClosed`."""
        await self._tell("pause", PauseRequest(reason=reason))

    async def resume(self) -> None:
        """Go on after a pause; nothing happens to a run that is not paused. Raises :class:`RunClosed`."""
        await self._tell("resume")

    async def approve(
        self, by: str = "", comment: str = "", inputs: Mapping[str, Any] | None = None, step: str | None = None
    ) -> None:
        """Let the step go on that waits for approval.

        ``by`` says who answers and ``inputs`` become outputs of the step. ``step``, ``<job instance>/<step path>``, may
        be left out where only one waits. Raises :class:`NothingWaits`, :class:`AnswerRefused` and :class:`RunClosed`.
        """
        await self._tell("approve", _answer(by, comment, inputs, step))

    async def reject(
        self, by: str = "", comment: str = "", inputs: Mapping[str, Any] | None = None, step: str | None = None
    ) -> None:
        """Fail the step that waits for approval, with ``by`` and ``comment`` in its error; else as :meth:`approve`."""
        await self._tell("reject", _answer(by, comment, inputs, step))

    async def send_event(self, name: str, payload: Any = None) -> None:
        """Something happened outside: in each job instance the first ``wait`` for ``name`` takes it.

        A ``wait`` that has not begun yet finds it too. ``payload`` is any JSON value. Raises :class:`RunClosed`.
        """
        await self._tell("events", EventRequest(name=name, payload=payload))

    async def retry(self, scope: RetryScope = "failed", job: str | None = None, step: str | None = None) -> Run:
        """Start a new run, linked to this one, that keeps what has succeeded; give the new one.

        ``failed``: failed job instances go on at their first step that did not succeed; ``failed-hosts``: so do the
        failed hosts of jobs that run on several, and other failed jobs stay as they are; ``failed-jobs``: failed
        instances run again from their first step; ``job``: the job named by ``job`` and all that need it; ``step``:
        every instance of a job goes on at ``step`` (``"<job>.<step id>"`` or ``"<job>.steps[2]"``), and all that need
        the job run again; ``all``: everything. Raises
        :class:`RunNotEnded` and :class:`NothingToRetry`.
        """
        answer = await self._transport.call(
            "POST",
            f"{self._path}/retry",
            SubmitResponse,
            body=RetryRequest(scope=scope, job=job, step=step),
            missing=RunNotFound,
            safe=False,  # a second one would be a second run
        )
        return Run(self._transport, answer.id, url=answer.url)

    async def plan(self) -> PlanView:
        """What the run would do if it were started now, on the agents of this moment."""
        return await self._transport.call("GET", f"{self._path}/plan", PlanView, missing=RunNotFound)

    async def edit(
        self,
        yaml: str,
        *,
        filename: str = "workflow.yaml",
        files: Mapping[str, str] | None = None,
        vars: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Edited:
        """Let a failed, cancelled or paused run go on with a changed definition, as a new run; give the report.

        ``vars``, ``inputs`` and ``secrets`` are put over those of this run; ``dry_run`` starts nothing. Raises
        :class:`RunNotEnded`, :class:`NothingToEdit` and whatever a submit of the file raises.
        """
        request = EditRequest(
            yaml=yaml,
            filename=filename,
            files=dict(files or {}),
            vars=dict(vars or {}),
            inputs=dict(inputs or {}),
            secrets=dict(secrets or {}),
            dry_run=dry_run,
        )
        return await send_edit(self._transport, self._path, request)

    async def _tell(self, what: str, body: Wire | None = None) -> None:
        # Not repeated once it may have arrived: a second event or answer would be another one.
        await self._transport.send("POST", f"{self._path}/{what}", body=body, missing=RunNotFound)


def _answer(by: str, comment: str, inputs: Mapping[str, Any] | None, step: str | None) -> ApprovalRequest:
    return ApprovalRequest(by=by, comment=comment, inputs=dict(inputs or {}), step=step)
