"""The schedules that definitions ask for in their files: they follow the definitions' indexes."""

from __future__ import annotations

from waterflow_sdk.wire import ScheduleSpec

from ..definitions import DefinitionStore, schedule_names
from ._temporal import TemporalSchedules


class FileSchedules:
    """Makes Temporal's schedules what the definitions say. Every change is made again safely, from any server."""

    def __init__(self, store: DefinitionStore, schedules: TemporalSchedules) -> None:
        self._store = store
        self._schedules = schedules

    async def converge(self, name: str, slots: int = 0) -> None:
        """Make the schedules of a definition what its index says, again when it was changed in the meantime.

        ``slots`` is the most that a definition ever had which is deleted now.
        """
        seen: int | None = -1
        while True:
            found = await self._store.find(name)
            version = found.version if found else None
            if version == seen:
                return
            seen = version
            wanted = found.value.wanted_schedules() if found else []
            most = found.value.slots if found else slots
            names = {*schedule_names(name, most), *(await self._existing(name))}
            await self._make(name, wanted, names)

    async def owners(self) -> set[str]:
        """The definitions that have schedules of their own now, whether they are still there or not."""
        return {name.partition(":")[0] for name in await self._schedules.names() if ":" in name}

    async def of_people(self, name: str) -> list[str]:
        """The schedules that people made for a definition."""
        return [each for each in await self._schedules.names(name) if ":" not in each]

    async def _existing(self, name: str) -> set[str]:
        return {each for each in await self._schedules.names(name) if each.startswith(f"{name}:")}

    async def _make(self, name: str, wanted: list[ScheduleSpec], names: set[str]) -> None:
        kept = schedule_names(name, len(wanted))
        for each, spec in zip(kept, wanted, strict=True):
            if not await self._schedules.change(each, spec) and not await self._schedules.create(each, spec):
                await self._schedules.change(each, spec)  # another server was faster, perhaps with an older version
        for each in sorted(names.difference(kept)):
            await self._schedules.delete(each)
