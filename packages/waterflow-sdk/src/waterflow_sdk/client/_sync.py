"""The synchronous client: the asynchronous one, on an event loop in a thread of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from ..wire import (
    AgentState,
    AgentStatus,
    Health,
    NodeEntry,
    PlanView,
    RunSummary,
    State,
    ValidateResponse,
)
from ._async import AsyncClient
from ._definitions import SyncDefinitions
from ._groups import SyncGroups
from ._keys import SyncKeys
from ._portal import Portal
from ._schedules import SyncSchedules
from ._settings import DEFAULT_RETRIES, DEFAULT_TIMEOUT, StrPath
from ._sync_run import SyncRun


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
        ca: StrPath | None = None,
        cert: StrPath | None = None,
        key: StrPath | None = None,
    ) -> None:
        self._client = AsyncClient(server, api_key, timeout=timeout, retries=retries, ca=ca, cert=cert, key=key)
        self._portal = Portal()
        self.groups = SyncGroups(self._portal, self._client.groups)
        """Groups of agents."""
        self.keys = SyncKeys(self._portal, self._client.keys)
        """API keys of the server."""
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

    def agents(
        self, *, groups: Sequence[str] = (), tags: Sequence[str] = (), statuses: Sequence[AgentStatus] = ()
    ) -> list[AgentState]:
        """See :meth:`AsyncClient.agents`."""
        return self._portal.call(self._client.agents(groups=groups, tags=tags, statuses=statuses))

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
