"""What the API needs from the rest of the server, as interfaces. The API knows nothing else of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from waterflow_sdk.wire import (
    AgentState,
    BackfillRequest,
    DefinitionDiff,
    DefinitionInfo,
    DefinitionPut,
    DefinitionRunRequest,
    DefinitionText,
    DefinitionVersion,
    EditRequest,
    EditResponse,
    GroupPut,
    GroupsApplied,
    GroupsApply,
    GroupSpec,
    GroupState,
    Health,
    KeyCreate,
    KeyCreated,
    KeyInfo,
    MembersChange,
    NodeEntry,
    Overlap,
    PlanRequest,
    PlanView,
    RetryRequest,
    RunPage,
    RunState,
    ScheduleCreate,
    ScheduleInfo,
    SchedulePut,
    SubmitRequest,
    SubmitResponse,
    ValidateRequest,
    ValidateResponse,
)

from ..auth import Access
from ..engine import Event
from ..logs import LogStore
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

    async def knows(self, run_id: str) -> bool | None:
        """Whether there is a run with that id, living or ended; None while that cannot be told."""
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

    async def find(self, *, groups: Iterable[str] = (), tags: Iterable[str] = ()) -> Sequence[AgentState]:
        """Members of any of the groups that have all tags, by name."""
        ...

    async def get(self, id_or_name: str) -> AgentState | None:
        """One agent, or None."""
        ...

    async def change_mode(
        self, id_or_name: str, mode: Literal["cordon", "drain", "uncordon"], reason: str
    ) -> AgentState:
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


class DefinitionService(Protocol):
    """Stored workflows. Raises the errors of :mod:`waterflow_server.definitions`."""

    async def list(self) -> Sequence[DefinitionInfo]:
        """All definitions, by name."""
        ...

    async def get(self, name: str) -> DefinitionInfo:
        """One definition."""
        ...

    async def versions(self, name: str) -> Sequence[DefinitionVersion]:
        """Its versions, newest first."""
        ...

    async def text(self, name: str, number: int | None = None) -> DefinitionText:
        """One version with its text."""
        ...

    async def diff(self, name: str, old: int, new: int | None = None) -> DefinitionDiff:
        """What changed between two versions."""
        ...

    async def put(self, name: str, given: DefinitionPut, by: str) -> DefinitionInfo:
        """Keep a file as a new version."""
        ...

    async def activate(self, name: str, number: int) -> DefinitionInfo:
        """Use a version."""
        ...

    async def roll_back(self, name: str) -> DefinitionInfo:
        """Use the version before."""
        ...

    async def enable(self, name: str, *, enabled: bool) -> DefinitionInfo:
        """Let it run, or not."""
        ...

    async def delete(self, name: str, *, force: bool) -> None:
        """Forget it."""
        ...

    async def run(self, name: str, request: DefinitionRunRequest, started_by: str) -> SubmitResponse:
        """Start a run."""
        ...

    async def reconcile(self) -> None:
        """Bring their schedules in line, after a server may have ended in the middle of a change."""
        ...


class ScheduleService(Protocol):
    """Schedules. Raises the errors of :mod:`waterflow_server.schedules`."""

    async def list(self) -> Sequence[ScheduleInfo]:
        """All schedules, by name."""
        ...

    async def get(self, name: str) -> ScheduleInfo:
        """One schedule with its last runs."""
        ...

    async def create(self, given: ScheduleCreate) -> ScheduleInfo:
        """A new schedule."""
        ...

    async def put(self, name: str, given: SchedulePut) -> ScheduleInfo:
        """Replace a schedule, or make it."""
        ...

    async def delete(self, name: str) -> None:
        """Remove a schedule."""
        ...

    async def pause(self, name: str, reason: str) -> None:
        """Start nothing."""
        ...

    async def unpause(self, name: str, reason: str) -> None:
        """Go on."""
        ...

    async def trigger(self, name: str, overlap: Overlap | None) -> None:
        """Run now."""
        ...

    async def backfill(self, name: str, given: BackfillRequest) -> Sequence[datetime]:
        """Run for times that have been."""
        ...

    async def next(self, name: str, limit: int) -> Sequence[datetime]:
        """The next times."""
        ...


class HealthService(Protocol):
    """Whether the server can do its work."""

    async def check(self) -> Health:
        """``ok``, or ``unavailable`` with the reason; answers within seconds."""
        ...


class PlanService(Protocol):
    """Tells what runs would do (:class:`waterflow_server.planner.Planner`)."""

    async def plan(self, request: PlanRequest, started_by: str) -> PlanView:
        """Of a file; raises InvalidWorkflow, and for a dry run what a submit raises."""
        ...

    async def dry_run(self, request: SubmitRequest, started_by: str) -> PlanView:
        """Of a submit, which starts nothing; raises what a submit raises."""
        ...

    async def of_run(self, run_id: str) -> PlanView:
        """Of a run; raises RunNotFound."""
        ...


class EditService(Protocol):
    """Lets runs go on with changed definitions (:class:`waterflow_server.edits.Edits`)."""

    async def edit(self, run_id: str, request: EditRequest, started_by: str) -> EditResponse:
        """The report, and unless it is a dry run the new run; raises RunNotFound, RunNotEnded and NothingToEdit."""
        ...


class KeyService(Protocol):
    """API keys (:class:`waterflow_server.auth.Keys`)."""

    async def list(self) -> Sequence[KeyInfo]:
        """All keys, oldest first."""
        ...

    async def create(self, given: KeyCreate, by: str) -> KeyCreated:
        """A new key; raises InvalidKey."""
        ...

    async def revoke(self, key: str) -> KeyInfo:
        """Take a key out of use; raises KeyNotFound and KeyAmbiguous."""
        ...


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """All that the API works with. ``closing`` is set when the server is about to end: followers must let go."""

    runs: RunService
    submissions: SubmissionService
    plans: PlanService
    edits: EditService
    catalog: CatalogService
    agents: AgentService
    groups: GroupService
    definitions: DefinitionService
    schedules: ScheduleService
    logs: LogStore
    health: HealthService
    access: Access
    keys: KeyService
    closing: asyncio.Event
