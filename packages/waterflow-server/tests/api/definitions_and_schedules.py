"""Services for definitions and schedules that remember what they were asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from waterflow_sdk.wire import (
    BackfillRequest,
    DefinitionDiff,
    DefinitionInfo,
    DefinitionPut,
    DefinitionRunRequest,
    DefinitionText,
    DefinitionVersion,
    Overlap,
    ScheduleCreate,
    ScheduleInfo,
    SchedulePut,
    ScheduleSpec,
    SubmitResponse,
)
from waterflow_server.definitions import DefinitionNotFound
from waterflow_server.schedules import ScheduleNotFound

TIME = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class DefinitionsInMemory:
    """One definition, ``nightly``, with two versions."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def _found(self, name: str) -> DefinitionInfo:
        if name != "nightly":
            raise DefinitionNotFound(f"there is no definition {name!r}")
        return DefinitionInfo(name=name, active=2, latest=2)

    async def list(self) -> list[DefinitionInfo]:
        return [self._found("nightly")]

    async def get(self, name: str) -> DefinitionInfo:
        return self._found(name)

    async def versions(self, name: str) -> list[DefinitionVersion]:
        self._found(name)
        return [DefinitionVersion(number=number, created=TIME, digest="d") for number in (2, 1)]

    async def text(self, name: str, number: int | None = None) -> DefinitionText:
        version = DefinitionVersion(number=number or 2, created=TIME, digest="d")
        return DefinitionText(name=self._found(name).name, version=version, yaml="jobs: {}")

    async def diff(self, name: str, old: int, new: int | None = None) -> DefinitionDiff:
        return DefinitionDiff(name=self._found(name).name, old=old, new=new or 2, diff="")

    async def put(self, name: str, given: DefinitionPut, by: str) -> DefinitionInfo:
        self.asked.append((name, given, by))
        return DefinitionInfo(name=name, active=1, latest=1, created=given.expected != 1)

    async def activate(self, name: str, number: int) -> DefinitionInfo:
        self.asked.append(("activate", number))
        return self._found(name)

    async def roll_back(self, name: str) -> DefinitionInfo:
        self.asked.append("roll_back")
        return self._found(name)

    async def enable(self, name: str, *, enabled: bool) -> DefinitionInfo:
        self.asked.append(("enable", enabled))
        return self._found(name)

    async def delete(self, name: str, *, force: bool) -> None:
        self._found(name)
        self.asked.append(("delete", force))

    async def run(self, name: str, request: DefinitionRunRequest, started_by: str) -> SubmitResponse:
        self._found(name)
        self.asked.append((request, started_by))
        return SubmitResponse(id="r1", url="/v1/workflows/r1")

    async def reconcile(self) -> None:
        """Nothing to bring in line."""


class SchedulesInMemory:
    """One schedule, ``mine``."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def _found(self, name: str) -> ScheduleInfo:
        if name != "mine":
            raise ScheduleNotFound(f"there is no schedule {name!r}")
        return ScheduleInfo(name=name, spec=ScheduleSpec(definition="nightly", cron="0 2 * * *"))

    async def list(self) -> list[ScheduleInfo]:
        return [self._found("mine")]

    async def get(self, name: str) -> ScheduleInfo:
        return self._found(name)

    async def create(self, given: ScheduleCreate) -> ScheduleInfo:
        self.asked.append(given)
        return self._found(given.name)

    async def put(self, name: str, given: SchedulePut) -> ScheduleInfo:
        self.asked.append(given)
        return self._found(name)

    async def delete(self, name: str) -> None:
        self._found(name)
        self.asked.append("delete")

    async def pause(self, name: str, reason: str) -> None:
        self._found(name)
        self.asked.append(("pause", reason))

    async def unpause(self, name: str, reason: str) -> None:
        self._found(name)
        self.asked.append(("unpause", reason))

    async def trigger(self, name: str, overlap: Overlap | None) -> None:
        self._found(name)
        self.asked.append(("trigger", overlap))

    async def backfill(self, name: str, given: BackfillRequest) -> list[datetime]:
        self._found(name)
        return [given.start, given.end]

    async def next(self, name: str, limit: int) -> list[datetime]:
        self._found(name)
        return [TIME] * limit
