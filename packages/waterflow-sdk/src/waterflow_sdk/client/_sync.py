"""The synchronous client: the asynchronous one, on an event loop in a thread of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from ..wire import (
    AgentState,
    Health,
    LogEnd,
    LogLine,
    LogStreamKind,
    NodeEntry,
    PlanView,
    RunOutputs,
    RunState,
    RunSummary,
    State,
    ValidateResponse,
)
from ._async import AsyncClient
from ._definitions import SyncDefinitions
from ._events import SyncEventStream
from ._groups import SyncGroups
from ._logs import LogStream
from ._plan import Edited
from ._portal import Portal
from ._run import RetryScope, Run, View
from ._schedules import SyncSchedules
from ._settings import DEFAULT_RETRIES, DEFAULT_TIMEOUT


class SyncLogStream:
    """Iterator over the lines of a run's log; see :class:`LogStream`."""

    def __init__(self, portal: Portal, log: LogStream) -> None:
        self._portal = portal
        self._log = log
        self._lines = self._all()

    @property
    def end(self) -> LogEnd | None:
        """How the run ended, once a followed log is at its end."""
        return self._log.end

    def __iter__(self) -> Iterator[LogLine]:
        return self._lines

    def __next__(self) -> LogLine:
        return next(self._lines)

    def _all(self) -> Iterator[LogLine]:
        while lines := self._portal.call(self._log.next_batch()):
            yield from lines

    def close(self) -> None:
        """Let go of the connection."""
        self._portal.call(self._log.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SyncRun:
    """A run on the server; see :class:`Run`."""

    def __init__(self, portal: Portal, run: Run) -> None:
        self._portal = portal
        self._run = run

    def __repr__(self) -> str:
        return repr(self._run)

    @property
    def id(self) -> str:
        """The id of the run."""
        return self._run.id

    @property
    def url(self) -> str:
        """The address for people; ``""`` unless this comes from a submit."""
        return self._run.url

    @property
    def created(self) -> bool:
        """False when the idempotency key had already made the run."""
        return self._run.created

    @property
    def warnings(self) -> tuple[Mapping[str, Any], ...]:
        """Diagnostics of severity below error, known after a submit."""
        return self._run.warnings

    def status(self, view: View = "full", at: datetime | None = None) -> RunState:
        """See :meth:`Run.status`."""
        return self._portal.call(self._run.status(view, at))

    def definition(self) -> str:
        """See :meth:`Run.definition`."""
        return self._portal.call(self._run.definition())

    def outputs(self) -> RunOutputs:
        """See :meth:`Run.outputs`."""
        return self._portal.call(self._run.outputs())

    def delete(self) -> None:
        """See :meth:`Run.delete`."""
        self._portal.call(self._run.delete())

    def events(self, *, give_up_after: float | None = None) -> SyncEventStream:
        """See :meth:`Run.events`."""
        return SyncEventStream(self._portal, self._run.events(give_up_after=give_up_after))

    def wait(self, timeout: float | None = None) -> RunState:
        """See :meth:`Run.wait`."""
        return self._portal.call(self._run.wait(timeout))

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
    ) -> SyncLogStream:
        """See :meth:`Run.logs`."""
        log = self._run.logs(
            follow=follow,
            job=job,
            step=step,
            host=host,
            attempt=attempt,
            stream=stream,
            tail=tail,
            since=since,
            search=search,
            give_up_after=give_up_after,
        )
        return SyncLogStream(self._portal, log)

    def cancel(self, reason: str = "", *, force: bool = False) -> None:
        """See :meth:`Run.cancel`."""
        self._portal.call(self._run.cancel(reason, force=force))

    def pause(self, reason: str = "") -> None:
        """See :meth:`Run.pause`."""
        self._portal.call(self._run.pause(reason))

    def resume(self) -> None:
        """See :meth:`Run.resume`."""
        self._portal.call(self._run.resume())

    def approve(
        self, by: str = "", comment: str = "", inputs: Mapping[str, Any] | None = None, step: str | None = None
    ) -> None:
        """See :meth:`Run.approve`."""
        self._portal.call(self._run.approve(by, comment, inputs, step))

    def reject(
        self, by: str = "", comment: str = "", inputs: Mapping[str, Any] | None = None, step: str | None = None
    ) -> None:
        """See :meth:`Run.reject`."""
        self._portal.call(self._run.reject(by, comment, inputs, step))

    def send_event(self, name: str, payload: Any = None) -> None:
        """See :meth:`Run.send_event`."""
        self._portal.call(self._run.send_event(name, payload))

    def retry(self, scope: RetryScope = "failed", job: str | None = None, step: str | None = None) -> SyncRun:
        """See :meth:`Run.retry`."""
        return SyncRun(self._portal, self._portal.call(self._run.retry(scope, job, step)))

    def plan(self) -> PlanView:
        """See :meth:`Run.plan`."""
        return self._portal.call(self._run.plan())

    def edit(
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
        """See :meth:`Run.edit`."""
        work = self._run.edit(
            yaml, filename=filename, files=files, vars=vars, inputs=inputs, secrets=secrets, dry_run=dry_run
        )
        return self._portal.call(work)


class Client:
    """Client of a Waterflow server, for code without asyncio.

    Arguments, methods and errors are those of :class:`AsyncClient`. Use it as ``with Client() as client:`` or call
    :meth:`close`. Threads may share one.
    """

    def __init__(
        self,
        server: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        self._client = AsyncClient(server, api_key, timeout=timeout, retries=retries)
        self._portal = Portal()
        self.groups = SyncGroups(self._portal, self._client.groups)
        """Groups of agents."""
        self.definitions = SyncDefinitions(self._portal, self._client.definitions)
        """Stored workflows."""
        self.schedules = SyncSchedules(self._portal, self._client.schedules)
        """When stored workflows run by themselves."""

    @property
    def server(self) -> str:
        """The base address of the server."""
        return self._client.server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections and end the thread. A second call does nothing."""
        if not self._portal.closed:
            self._portal.call(self._client.aclose())
            self._portal.close()

    def submit(
        self,
        yaml: str,
        *,
        filename: str = "workflow.yaml",
        vars: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        labels: Sequence[str] = (),
        idempotency_key: str | None = None,
        files: Mapping[str, str] | None = None,
        run_at: datetime | None = None,
    ) -> SyncRun:
        """See :meth:`AsyncClient.submit`."""
        work = self._client.submit(
            yaml,
            filename=filename,
            vars=vars,
            inputs=inputs,
            secrets=secrets,
            labels=labels,
            idempotency_key=idempotency_key,
            files=files,
            run_at=run_at,
        )
        return SyncRun(self._portal, self._portal.call(work))

    def run(self, id: str) -> SyncRun:
        """See :meth:`AsyncClient.run`."""
        return SyncRun(self._portal, self._client.run(id))

    def runs(
        self,
        *,
        state: State | None = None,
        name: str | None = None,
        label: str | None = None,
        started_by: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        text: str | None = None,
        limit: int | None = None,
    ) -> Iterator[RunSummary]:
        """See :meth:`AsyncClient.runs`."""
        pages = self._client.runs(
            state=state,
            name=name,
            label=label,
            started_by=started_by,
            since=since,
            until=until,
            text=text,
            limit=limit,
        )
        while (item := self._portal.call(_next(pages))) is not None:
            yield item

    def validate(
        self, yaml: str, *, filename: str = "workflow.yaml", files: Mapping[str, str] | None = None
    ) -> ValidateResponse:
        """See :meth:`AsyncClient.validate`."""
        return self._portal.call(self._client.validate(yaml, filename=filename, files=files))

    def plan(
        self,
        yaml: str,
        *,
        filename: str = "workflow.yaml",
        files: Mapping[str, str] | None = None,
        vars: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        dry_run: bool = False,
        against: str | None = None,
    ) -> PlanView:
        """See :meth:`AsyncClient.plan`."""
        work = self._client.plan(
            yaml,
            filename=filename,
            files=files,
            vars=vars,
            inputs=inputs,
            secrets=secrets,
            dry_run=dry_run,
            against=against,
        )
        return self._portal.call(work)

    def nodes(self) -> list[NodeEntry]:
        """See :meth:`AsyncClient.nodes`."""
        return self._portal.call(self._client.nodes())

    def node(self, name: str) -> NodeEntry:
        """See :meth:`AsyncClient.node`."""
        return self._portal.call(self._client.node(name))

    def agents(self) -> list[AgentState]:
        """See :meth:`AsyncClient.agents`."""
        return self._portal.call(self._client.agents())

    def agent(self, id: str) -> AgentState:
        """See :meth:`AsyncClient.agent`."""
        return self._portal.call(self._client.agent(id))

    def cordon_agent(self, id: str, reason: str = "") -> AgentState:
        """See :meth:`AsyncClient.cordon_agent`."""
        return self._portal.call(self._client.cordon_agent(id, reason))

    def drain_agent(self, id: str, reason: str = "") -> AgentState:
        """See :meth:`AsyncClient.drain_agent`."""
        return self._portal.call(self._client.drain_agent(id, reason))

    def uncordon_agent(self, id: str, reason: str = "") -> AgentState:
        """See :meth:`AsyncClient.uncordon_agent`."""
        return self._portal.call(self._client.uncordon_agent(id, reason))

    def remove_agent(self, id: str) -> None:
        """See :meth:`AsyncClient.remove_agent`."""
        self._portal.call(self._client.remove_agent(id))

    def health(self) -> Health:
        """See :meth:`AsyncClient.health`."""
        return self._portal.call(self._client.health())


async def _next(items: AsyncGenerator[RunSummary, None]) -> RunSummary | None:
    return await anext(items, None)
