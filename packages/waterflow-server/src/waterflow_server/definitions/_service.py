"""The service behind ``/v1/definitions``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from waterflow_sdk.wire import (
    DefinitionDiff,
    DefinitionInfo,
    DefinitionPut,
    DefinitionRunRequest,
    DefinitionText,
    DefinitionVersion,
    RunPage,
    State,
    SubmitRequest,
    SubmitResponse,
)

from ..runs import RunQuery
from ..submissions import Examined, render
from ._checks import check_name, schedules_of
from ._document import StoredDefinition, StoredText, StoredVersion, definition_label, info
from ._errors import DefinitionConflict, DefinitionDisabled, DefinitionInUse, DefinitionNotFound
from ._store import DefinitionStore

_OPEN = tuple(state for state in State if not state.ended)
_SHOWN_RUNS = 10
_LATER = timedelta(days=1)

Infos = list[DefinitionInfo]
Versions = list[DefinitionVersion]
Lines = list[str]


class Submitter(Protocol):
    """Checks files and starts runs (:class:`waterflow_server.submissions.Submissions`)."""

    async def examine(self, request: SubmitRequest) -> Examined:
        """A file and what it gets, judged; raises InvalidWorkflow where no plan can be made of it."""
        ...

    async def submit(self, request: SubmitRequest, started_by: str) -> SubmitResponse:
        """Start a run."""
        ...


class Follower(Protocol):
    """The schedules that follow definitions (:class:`waterflow_server.schedules.FileSchedules`)."""

    async def converge(self, name: str, slots: int = 0) -> None:
        """Make the schedules of a definition what its index says now. ``slots``: how many a deleted one had at most."""
        ...

    async def owners(self) -> set[str]:
        """The definitions that have schedules of their own now, whether they are still there or not."""
        ...

    async def of_people(self, name: str) -> list[str]:
        """The schedules that people made for a definition."""
        ...


class RunList(Protocol):
    """Lists runs (:class:`waterflow_server.runs.Runs`)."""

    async def list(self, query: RunQuery, *, limit: int, cursor: str | None) -> RunPage:
        """A page of runs."""
        ...


class Definitions:
    """Stored workflows. Their own schedules follow whatever is changed here."""

    def __init__(self, store: DefinitionStore, submissions: Submitter, schedules: Follower, runs: RunList) -> None:
        self._store = store
        self._submissions = submissions
        self._schedules = schedules
        self._runs = runs

    async def list(self) -> Infos:
        """All definitions, by name."""
        return [info(each.name, each.value) for each in await self._store.list()]

    async def get(self, name: str) -> DefinitionInfo:
        """One definition. Raises DefinitionNotFound."""
        return info(name, (await self._store.get(name)).value)

    async def versions(self, name: str) -> Versions:
        """The versions that are kept, newest first. Raises DefinitionNotFound."""
        return [each.version for each in reversed((await self._store.get(name)).value.versions)]

    async def text(self, name: str, number: int | None = None) -> DefinitionText:
        """One version with its text, None = the active one. Raises DefinitionNotFound."""
        version = (await self._store.get(name)).value.get(name, number)
        text = await self._store.text(name, version)
        return DefinitionText(name=name, version=version, yaml=text.yaml, filename=text.filename, files=text.files)

    async def diff(self, name: str, old: int, new: int | None = None) -> DefinitionDiff:
        """What changed from version ``old`` to ``new``, None = the active one. Raises DefinitionNotFound."""
        stored = (await self._store.get(name)).value
        versions = stored.get(name, old), stored.get(name, new)
        texts = [_files(await self._store.text(name, each)) for each in versions]
        lines: Lines = []
        for path in sorted({*texts[0], *texts[1]}):
            lines += _unified(path, [each.get(path, "") for each in texts], [each.number for each in versions])
        return DefinitionDiff(name=name, old=versions[0].number, new=versions[1].number, diff="".join(lines))

    async def put(self, name: str, given: DefinitionPut, by: str) -> DefinitionInfo:
        """Keep a file as a new version, which is active; the text of the newest version makes no new one.

        Raises InvalidDefinition, InvalidWorkflow, DefinitionTooLarge and DefinitionConflict.
        """
        check_name(name)
        request = SubmitRequest(yaml=given.yaml, filename=given.filename, files=given.files)
        examined = await self._examine(request)
        schedules = schedules_of(name, examined)
        text = StoredText(yaml=given.yaml, filename=given.filename, files=given.files)
        await self._store.keep_text(name, text)
        version = DefinitionVersion(
            number=1,
            created=datetime.now(UTC),
            digest=text.digest,
            by=by,
            title=examined.plan.name,
            description=examined.plan.description[:1000],
            size=text.size,
        )
        stored, created = await self._add(name, StoredVersion(version=version, schedules=schedules), given.expected)
        await self._schedules.converge(name)
        return msgspec.structs.replace(info(name, stored, created=created), warnings=render(examined.diagnostics))

    async def _examine(self, request: SubmitRequest) -> Examined:
        """Judged as a submit is, but for what only a run gets; agents that are away now do not matter."""
        later = msgspec.structs.replace(request, run_at=datetime.now(UTC) + _LATER)
        examined = msgspec.structs.replace(await self._submissions.examine(later), problems=[])
        examined.refuse(request.filename)
        return examined

    async def _add(self, name: str, new: StoredVersion, expected: int | None) -> tuple[StoredDefinition, bool]:
        while True:
            found = await self._store.find(name)
            newest = found.value.latest if found else None
            at = newest.version.number if newest else 0
            if expected is not None and expected != at:
                raise DefinitionConflict(
                    f"definition {name!r} is at version {at}, not {expected}; look at what changed and apply it again",
                    {"version": at},
                )
            if found is None:
                stored = StoredDefinition(active=1, versions=[new], slots=len(new.schedules))
                if await self._store.create(name, stored):
                    return stored, True
            elif newest is not None and newest.version.digest == new.version.digest:
                return await self._store.change(name, _activating(name, at)), False
            else:
                version = msgspec.structs.replace(new.version, number=at + 1)
                stored = found.value.add(msgspec.structs.replace(new, version=version))
                if await self._store.put(found, stored):
                    return stored, True

    async def activate(self, name: str, number: int) -> DefinitionInfo:
        """Use a version from now on. Raises DefinitionNotFound."""
        return await self._change(name, _activating(name, number))

    async def roll_back(self, name: str) -> DefinitionInfo:
        """Use the version before the active one. Raises DefinitionNotFound when there is none."""

        def back(stored: StoredDefinition) -> StoredDefinition:
            older = [each.version.number for each in stored.versions if each.version.number < stored.active]
            if not older:
                raise DefinitionNotFound(f"definition {name!r} has no version before {stored.active}", {"name": name})
            return _active(name, stored, older[-1])

        return await self._change(name, back)

    async def enable(self, name: str, *, enabled: bool) -> DefinitionInfo:
        """Let it run, or let nothing start it. Raises DefinitionNotFound."""
        return await self._change(name, lambda stored: msgspec.structs.replace(stored, enabled=enabled))

    async def delete(self, name: str, *, force: bool = False) -> None:
        """Forget it with all versions and its own schedules; runs go on. Raises DefinitionNotFound, DefinitionInUse."""
        await self._store.get(name)
        if not force:
            await self._refuse_in_use(name)
        was = await self._store.delete(name)
        await self._schedules.converge(name, was.slots)

    async def run(self, name: str, request: DefinitionRunRequest, started_by: str) -> SubmitResponse:
        """Start a run. Raises DefinitionNotFound, DefinitionDisabled, and what a submit raises."""
        stored = (await self._store.get(name)).value
        if not stored.enabled:
            raise disabled(name)
        text = await self._store.text(name, stored.get(name, request.version))
        given = SubmitRequest(
            yaml=text.yaml,
            filename=text.filename,
            files=text.files,
            vars=request.vars,
            inputs=request.inputs,
            secrets=request.secrets,
            labels=[*request.labels, definition_label(name)],
            tenant_id=request.tenant_id,
            idempotency_key=request.idempotency_key,
            run_at=request.run_at,
        )
        return await self._submissions.submit(given, started_by)

    async def reconcile(self) -> None:
        """Bring all schedules in line with the definitions: what a server that ended had begun is finished here."""
        names = {each.name for each in await self._store.list()} | await self._schedules.owners()
        for name in sorted(names):
            await self._schedules.converge(name)

    async def _change(self, name: str, change: Callable[[StoredDefinition], StoredDefinition]) -> DefinitionInfo:
        stored = await self._store.change(name, change)
        await self._schedules.converge(name)
        return info(name, stored)

    async def _refuse_in_use(self, name: str) -> None:
        schedules = await self._schedules.of_people(name)
        if schedules:
            raise DefinitionInUse(
                f"definition {name!r} is used by schedule {', '.join(schedules)}; delete that first, or force it",
                {"schedules": schedules},
            )
        query = RunQuery(states=_OPEN, label=definition_label(name))
        runs = [each.id for each in (await self._runs.list(query, limit=_SHOWN_RUNS, cursor=None)).items]
        if runs:
            raise DefinitionInUse(
                f"definition {name!r} has a run that has not ended, {runs[0]}; wait for it, cancel it, or force it "
                "(the run goes on either way)",
                {"runs": runs},
            )


def disabled(name: str) -> DefinitionDisabled:
    """The error for a definition that starts no runs."""
    return DefinitionDisabled(f"definition {name!r} is disabled; enable it first", {"name": name})


def _active(name: str, stored: StoredDefinition, number: int) -> StoredDefinition:
    return msgspec.structs.replace(stored, active=stored.get(name, number).number)


def _activating(name: str, number: int) -> Callable[[StoredDefinition], StoredDefinition]:
    return lambda stored: _active(name, stored, number)


def _files(text: StoredText) -> dict[str, str]:
    return {text.filename: text.yaml, **text.files}


def _unified(path: str, texts: Sequence[str], numbers: Sequence[int]) -> list[str]:
    old, new = ([f"{line}\n" for line in text.splitlines()] for text in texts)
    names = [f"{path} (version {number})" for number in numbers]
    return list(difflib.unified_diff(old, new, fromfile=names[0], tofile=names[1]))
