"""The asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from ..wire import (
    AgentState,
    AgentStatus,
    Health,
    ModeRequest,
    NodeEntry,
    PlanView,
    RunPage,
    RunSummary,
    State,
    SubmitRequest,
    SubmitResponse,
    ValidateRequest,
    ValidateResponse,
)
from ._definitions import Definitions
from ._errors import AgentNotFound, NodeNotFound
from ._groups import Groups
from ._keys import Keys
from ._plan import fetch_plan, plan_request
from ._run import Run
from ._schedules import Schedules
from ._settings import DEFAULT_RETRIES, DEFAULT_TIMEOUT, StrPath, settings
from ._transport import Transport, segment

PAGE = 100


class AsyncClient:
    """Client of a Waterflow server, for asyncio.

    ``server`` defaults to ``WATERFLOW_SERVER``, then ``http://127.0.0.1:8080``; ``api_key`` to ``WATERFLOW_API_KEY``.
    ``timeout`` (seconds) bounds each request. Calls that are safe to repeat, and submits because of their idempotency
    key, are repeated up to ``retries`` times with growing pauses when the server cannot be reached.

    ``ca`` is a PEM file that the server's certificate is checked against instead of the system's authorities, ``cert``
    and ``key`` are those of a certificate that it is shown (mTLS); they default to ``WATERFLOW_SERVER_CA``,
    ``WATERFLOW_SERVER_CERT`` and ``WATERFLOW_SERVER_KEY``.

    Use it as ``async with AsyncClient() as client:`` or call :meth:`aclose`. Raises :class:`InvalidSettings`; each
    method may raise :class:`ServerUnavailable`, :class:`NotWaterflow`, :class:`Unauthorized` and :class:`Forbidden`.
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
        self._transport = Transport(settings(server, api_key, timeout, retries, (ca, cert, key)))
        self.definitions = Definitions(self._transport)
        self.schedules = Schedules(self._transport)
        self.groups = Groups(self._transport)
        """Groups of agents."""
        self.keys = Keys(self._transport)
        """API keys of the server."""

    @property
    def server(self) -> str:
        """The base address of the server."""
        return self._transport.settings.server

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections. A closed client cannot be used again."""
        await self._transport.close()

    async def submit(
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
    ) -> Run:
        """Start a run of the workflow file ``yaml`` (its text); return as soon as the server has accepted it.

        ``filename`` is for messages only. ``files`` are the workflows that it calls (``uses: ./lib/release.yaml``),
        texts by their paths from its directory. ``run_at`` (with a time zone) is when it starts; until then the run is
        queued, and a time that is over starts it at once. Without an ``idempotency_key`` one is made, so that a submit
        that is repeated after a broken connection never starts two runs. Raises :class:`InvalidWorkflow` with all
        diagnostics.
        """
        body = SubmitRequest(
            yaml=yaml,
            filename=filename,
            vars=dict(vars or {}),
            inputs=dict(inputs or {}),
            secrets=dict(secrets or {}),
            labels=list(labels),
            idempotency_key=idempotency_key or uuid4().hex,
            files=dict(files or {}),
            run_at=run_at,
        )
        answer = await self._transport.call("POST", "/v1/workflows", SubmitResponse, body=body)
        return Run(self._transport, answer.id, url=answer.url, created=answer.created, warnings=tuple(answer.warnings))

    def run(self, id: str) -> Run:
        """The run with this id. Sends nothing: a run that does not exist is noticed by the first call on it."""
        return Run(self._transport, id)

    async def runs(
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
    ) -> AsyncGenerator[RunSummary, None]:
        """The runs, newest first, at most ``limit``; pages are fetched as they are needed.

        ``since`` and ``until`` bound the time of the submit; ``text`` is what name, id or who started it begins with,
        or a whole label.
        """
        wanted = {
            "state": state,
            "name": name,
            "label": label,
            "started_by": started_by,
            "since": since.astimezone().isoformat() if since is not None else None,
            "until": until.astimezone().isoformat() if until is not None else None,
            "text": text,
        }
        left = limit
        cursor: str | None = None
        while left is None or left > 0:
            size = PAGE if left is None else min(left, PAGE)
            query = {**wanted, "limit": size, "cursor": cursor}
            page = await self._transport.call("GET", "/v1/workflows", RunPage, query=query)
            for item in page.items[:left]:
                yield item
            left = None if left is None else left - len(page.items)
            cursor = page.next
            if cursor is None:
                return

    async def validate(
        self, yaml: str, *, filename: str = "workflow.yaml", files: Mapping[str, str] | None = None
    ) -> ValidateResponse:
        """Check a workflow file, with the ``files`` that it calls, against the server's catalog without running it."""
        body = ValidateRequest(yaml=yaml, filename=filename, files=dict(files or {}))
        return await self._transport.call("POST", "/v1/validate", ValidateResponse, body=body)

    async def plan(
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
        """What a run of the file would do now; nothing is started.

        ``dry_run`` goes the whole way of a submit and adds the steps of every instance; ``against`` compares with a
        run. Raises :class:`InvalidWorkflow`, and where ``dry_run`` or ``against`` is given whatever a submit raises.
        """
        request = plan_request(yaml, filename, files, vars, inputs, secrets, dry_run, against)
        return await fetch_plan(self._transport, request)

    async def nodes(self) -> list[NodeEntry]:
        """The node catalog: manifests, and which agents have each node."""
        return await self._transport.call("GET", "/v1/nodes", list[NodeEntry])

    async def node(self, name: str) -> NodeEntry:
        """One node. Raises :class:`NodeNotFound`."""
        path = f"/v1/nodes/{segment(name, keep='/')}"
        return await self._transport.call("GET", path, NodeEntry, missing=NodeNotFound)

    async def agents(
        self, *, groups: Sequence[str] = (), tags: Sequence[str] = (), statuses: Sequence[AgentStatus] = ()
    ) -> list[AgentState]:
        """The agents by name, those that are offline too.

        Members of any of ``groups`` that have all ``tags`` (names of capabilities are tags too) and one of
        ``statuses``; what is empty does not restrict.
        """
        query = {"group": groups, "tag": tags, "status": statuses}
        return await self._transport.call("GET", "/v1/agents", list[AgentState], query=query)

    async def agent(self, id: str) -> AgentState:
        """One agent. Raises :class:`AgentNotFound`."""
        return await self._transport.call("GET", f"/v1/agents/{segment(id)}", AgentState, missing=AgentNotFound)

    async def cordon_agent(self, id: str, reason: str = "") -> AgentState:
        """No new work for the agent; running jobs go on. Raises :class:`AgentNotFound`, :class:`AgentAmbiguous`."""
        return await self._change_agent(id, "cordon", reason)

    async def drain_agent(self, id: str, reason: str = "") -> AgentState:
        """As :meth:`cordon_agent`, and says that the host is to become empty: its ``load`` tells when it is."""
        return await self._change_agent(id, "drain", reason)

    async def uncordon_agent(self, id: str, reason: str = "") -> AgentState:
        """Work as usual for the agent."""
        return await self._change_agent(id, "uncordon", reason)

    async def remove_agent(self, id: str) -> None:
        """Forget an agent that is offline. Raises :class:`AgentNotFound`, and :class:`AgentAlive` while it lives."""
        await self._transport.send("DELETE", f"/v1/agents/{segment(id)}", missing=AgentNotFound)

    async def _change_agent(self, id: str, how: str, reason: str) -> AgentState:
        path = f"/v1/agents/{segment(id)}/{how}"
        body = ModeRequest(reason=reason)
        return await self._transport.call("POST", path, AgentState, body=body, missing=AgentNotFound)

    async def health(self) -> Health:
        """Whether the server can work; ``unavailable`` with a reason is an answer, not an error. Asks only once."""
        return await self._transport.call("GET", "/health/ready", Health, accept=frozenset({503}), tries=1)
