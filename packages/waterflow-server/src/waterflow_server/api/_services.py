"""What the API needs from the rest of the server, as interfaces. The API knows nothing else of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from waterflow_sdk.wire import (
    AgentState,
    GroupPut,
    GroupsApplied,
    GroupsApply,
    GroupSpec,
    GroupState,
    Health,
    MembersChange,
    NodeEntry,
    RetryRequest,
    RunPage,
    RunState,
    SubmitRequest,
    SubmitResponse,
    ValidateRequest,
    ValidateResponse,
)

from ..engine import Event
from ..logs import LogStore
from ..presence import Mode
from ..runs import Approval, RunQuery, RunWatch


class RunService(Protocol):
    """Reads and controls runs. Raises RunNotFound and RunClosed."""

    async def get(self, run_id: str, *, full: bool, at: datetime | None = None) -> RunState:
        """The state of a run, now or at a moment; with steps and attempts when ``full``. Raises ValueError for a
        moment before its submit.
        """
        ...

    def watch(self, run_id: str) -> RunWatch:
        """The full state again and again."""
        ...

    async def definition(self, run_id: str) -> tuple[str, str]:
        """The workflow file as it was submitted, and its name."""
        ...

    async def forget(self, run_id: str) -> bool:
        """Remove a run that has ended; false where that still takes a while. Raises RunNotEnded."""
        ...

    async def list(self, query: RunQuery, *, limit: int, cursor: str | None) -> RunPage:
        """A page of runs, newest first; raises ValueError for a cursor or filter that cannot be."""
        ...

    async def cancel(self, run_id: str, reason: str, *, force: bool) -> None:
        """Ask a run to end; returns when it is asked, not when it has ended."""
        ...

    async def pause(self, run_id: str, reason: str) -> None:
        """Start nothing new."""
        ...

    async def retry(self, run_id: str, request: RetryRequest, started_by: str) -> str:
        """Start a new run that keeps what has succeeded; raises RunNotEnded or NothingToRetry."""
        ...

    async def resume(self, run_id: str) -> None:
        """Go on after a pause."""
        ...

    async def answer(self, run_id: str, answer: Approval) -> None:
        """Approve or reject; raises NothingWaits or AnswerRefused."""
        ...

    async def event(self, run_id: str, event: Event) -> None:
        """Give a named event to the run."""
        ...


class SubmissionService(Protocol):
    """Takes workflow files in. Raises the errors of :mod:`waterflow_server.submissions`."""

    async def submit(self, request: SubmitRequest, started_by: str) -> SubmitResponse:
        """Check the file and what it gets, and start the run."""
        ...

    async def validate(self, request: ValidateRequest) -> ValidateResponse:
        """Check the file only."""
        ...


class CatalogService(Protocol):
    """The nodes that agents have, and those of the interpreter."""

    async def nodes(self) -> Sequence[NodeEntry]:
        """All nodes, by name."""
        ...

    async def node(self, name: str) -> NodeEntry:
        """One node; raises NodeNotFound."""
        ...


class AgentService(Protocol):
    """The agents as their presence shows them."""

    async def list(self) -> Sequence[AgentState]:
        """All agents, by name."""
        ...

    async def get(self, id_or_name: str) -> AgentState | None:
        """One agent, or None."""
        ...

    async def change_mode(self, id_or_name: str, mode: Mode, reason: str) -> AgentState:
        """Cordon, drain or uncordon; raises AgentNotFound, AgentAmbiguous and InvalidReason."""
        ...

    async def remove(self, id_or_name: str) -> None:
        """Forget an agent that is offline; raises AgentNotFound, AgentAmbiguous and AgentAlive."""
        ...


class GroupService(Protocol):
    """Groups of agents. Raises the errors of :mod:`waterflow_server.groups`."""

    async def list(self) -> Sequence[GroupState]:
        """All groups, by name, without members."""
        ...

    async def get(self, name: str) -> GroupState:
        """One group with its members."""
        ...

    async def create(self, spec: GroupSpec) -> GroupState:
        """A new group."""
        ...

    async def put(self, name: str, given: GroupPut) -> GroupState:
        """The whole group anew."""
        ...

    async def change_members(self, name: str, change: MembersChange) -> GroupState:
        """List agents in a group, or no longer."""
        ...

    async def delete(self, name: str, version: int | None = None) -> None:
        """Forget a group."""
        ...

    async def apply(self, request: GroupsApply) -> GroupsApplied:
        """All groups of a file at once, or none."""
        ...


class HealthService(Protocol):
    """Whether the server can do its work."""

    async def check(self) -> Health:
        """``ok``, or ``unavailable`` with the reason; answers within seconds."""
        ...


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """All that the API works with. ``closing`` is set when the server is about to end: followers must let go."""

    runs: RunService
    submissions: SubmissionService
    catalog: CatalogService
    agents: AgentService
    groups: GroupService
    logs: LogStore
    health: HealthService
    closing: asyncio.Event
