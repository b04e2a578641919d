"""The application over services that remember what they were asked. Logs are kept in a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from waterflow_sdk.wire import (
    Health,
    KeyCreate,
    KeyCreated,
    KeyInfo,
    NodeEntry,
    NodeManifest,
    RunPage,
    RunState,
    RunSummary,
    SubmitRequest,
    SubmitResponse,
    ValidateRequest,
    ValidateResponse,
)
from waterflow_server import Services, create_app
from waterflow_server.auth import Access, AnyoneAccess, KeyNotFound
from waterflow_server.catalog import NodeNotFound
from waterflow_server.logs import FileLogStore
from waterflow_server.runs import RunClosed, RunNotEnded, RunNotFound, RunQuery, as_of

from .agents_and_groups import AgentsInMemory, GroupsInMemory
from .definitions_and_schedules import DefinitionsInMemory, SchedulesInMemory
from .plans_and_edits import EditsInMemory, PlansInMemory

Client = AsyncTestClient[Litestar]

TIME = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class Watch:
    """Looks at a run that a test changes."""

    def __init__(self, runs: RunsInMemory, run_id: str) -> None:
        self._runs = runs
        self._id = run_id

    async def look(self) -> RunState:
        return await self._runs.get(self._id, full=True)


class RunsInMemory:
    """Runs that a test has put there."""

    def __init__(self) -> None:
        self.states: dict[str, RunState] = {}
        self.asked: list[object] = []
        self.next: str | None = None
        self.error: Exception | None = None

    async def get(self, run_id: str, *, full: bool, at: datetime | None = None) -> RunState:
        self.asked.append(("get", run_id, full) if at is None else ("get", run_id, full, at))
        if self.error is not None:
            raise self.error
        if run_id not in self.states:
            raise RunNotFound(f"there is no run {run_id!r}")
        return self.states[run_id] if at is None else as_of(self.states[run_id], at)

    def watch(self, run_id: str) -> Watch:
        return Watch(self, run_id)

    async def definition(self, run_id: str) -> tuple[str, str]:
        await self.get(run_id, full=False)
        return "jobs: {}\n", "dir/été.yaml"

    async def knows(self, run_id: str) -> bool:
        return run_id in self.states

    async def forget(self, run_id: str) -> bool:
        if not (await self.get(run_id, full=False)).state.ended:
            raise RunNotEnded(f"run {run_id} has not ended; cancel it first, or wait")
        del self.states[run_id]
        return True

    async def list(self, query: RunQuery, *, limit: int, cursor: str | None) -> RunPage:
        self.asked.append(("list", query, limit, cursor))
        items = [RunSummary(id=run.id, name=run.name, state=run.state) for run in self.states.values()]
        return RunPage(items=items, next=self.next)

    async def cancel(self, run_id: str, reason: str, *, force: bool) -> None:
        if (await self.get(run_id, full=False)).state.ended:
            raise RunClosed(f"run {run_id} has ended; there is nothing to cancel")
        self.asked.append(("cancel", run_id, reason, force))


class SubmissionsInMemory:
    """Accepts everything, or raises what a test has put there."""

    def __init__(self) -> None:
        self.requests: list[SubmitRequest | ValidateRequest] = []
        self.error: Exception | None = None

    async def submit(self, request: SubmitRequest, started_by: str) -> SubmitResponse:
        assert started_by == "anonymous"
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        return SubmitResponse(id="r1", url="/v1/workflows/r1")

    async def validate(self, request: ValidateRequest) -> ValidateResponse:
        self.requests.append(request)
        return ValidateResponse(valid=True, plan_hash="0" * 64)


class CatalogInMemory:
    """Two nodes."""

    entries = (
        NodeEntry(manifest=NodeManifest(name="docker/exec", version="1.0.0"), agents=["web-01"]),
        NodeEntry(manifest=NodeManifest(name="sleep", version="1.0.0"), control=True),
    )

    async def nodes(self) -> Sequence[NodeEntry]:
        return self.entries

    async def node(self, name: str) -> NodeEntry:
        for entry in self.entries:
            if entry.manifest.name == name:
                return entry
        raise NodeNotFound(f"no agent has a node {name!r}")


class HealthInMemory:
    """Ready, unless a test says why not."""

    reason = ""

    async def check(self) -> Health:
        status = "unavailable" if self.reason else "ok"
        return Health(status=status, version="0.1.0", temporal="127.0.0.1:7233", reason=self.reason)


class KeysInMemory:
    """Makes keys that nobody asks for."""

    def __init__(self) -> None:
        self.infos: list[KeyInfo] = []

    async def list(self) -> Sequence[KeyInfo]:
        return self.infos

    async def create(self, given: KeyCreate, by: str) -> KeyCreated:
        info = KeyInfo(
            id="0123456789ab", name=given.name, hint="cdef", scopes=given.scopes, created=TIME, created_by=by
        )
        self.infos.append(info)
        return KeyCreated(key="wf_0123456789ab_secret", info=info)

    async def revoke(self, key: str) -> KeyInfo:
        for info in self.infos:
            if key == info.id:
                return info
        raise KeyNotFound(f"there is no API key {key!r}")


@pytest.fixture
def runs() -> RunsInMemory:
    return RunsInMemory()


@pytest.fixture
def submissions() -> SubmissionsInMemory:
    return SubmissionsInMemory()


@pytest.fixture
def health() -> HealthInMemory:
    return HealthInMemory()


@pytest.fixture
def access() -> Access:
    """Nobody is asked for a key."""
    return AnyoneAccess()


@pytest.fixture
async def services(
    runs: RunsInMemory, submissions: SubmissionsInMemory, health: HealthInMemory, access: Access, tmp_path: Path
) -> AsyncIterator[Services]:
    logs = FileLogStore(tmp_path / "logs")
    yield Services(
        runs=runs,
        submissions=submissions,
        plans=PlansInMemory(),
        edits=EditsInMemory(),
        catalog=CatalogInMemory(),
        agents=AgentsInMemory(),
        groups=GroupsInMemory(),
        definitions=DefinitionsInMemory(),
        schedules=SchedulesInMemory(),
        logs=logs,
        health=health,
        access=access,
        keys=KeysInMemory(),
        closing=asyncio.Event(),
    )
    logs.close()


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(services)) as client:
        yield client
