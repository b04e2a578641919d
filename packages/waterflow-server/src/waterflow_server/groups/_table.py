"""All groups that the server keeps, as one value, and how it changes. Pure.

They are one document, not one each: so a file is applied as a whole or not at all, and no two changes that are made at
the same time can close a circle of includes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from waterflow_sdk.wire import GroupChange, GroupSpec, Wire

from .._nearest import did_you_mean
from ._errors import GroupConflict, GroupExists, GroupIncluded, GroupNotFound, InvalidGroups
from ._membership import find_cycle
from ._names import ALL_SERVERS, spec_problems

MAX_GROUPS = 1000


class StoredGroup(Wire, frozen=True, kw_only=True):
    """A group, and when it was last changed; its version is the table's of that moment."""

    spec: GroupSpec
    version: int
    changed: datetime


class GroupTable(Wire, frozen=True, kw_only=True):
    """The value of the document. ``version`` grows with every change and never goes back."""

    version: int = 0
    groups: dict[str, StoredGroup] = {}

    @property
    def specs(self) -> dict[str, GroupSpec]:
        """The groups as they were written down, by name."""
        return {name: stored.spec for name, stored in self.groups.items()}

    def find(self, name: str) -> StoredGroup:
        """The group; raises GroupNotFound with the nearest name."""
        if name not in self.groups:
            near = did_you_mean(name, self.groups)
            raise GroupNotFound(f"the server keeps no group {name!r}{near}", {"group": name})
        return self.groups[name]

    def replace(self, specs: Mapping[str, GroupSpec], now: datetime) -> GroupTable:
        """The table with exactly these groups; itself when nothing is different."""
        if specs == self.specs:
            return self
        version = self.version + 1
        groups = {
            name: self.groups[name]
            if name in self.groups and self.groups[name].spec == spec
            else StoredGroup(spec=spec, version=version, changed=now)
            for name, spec in sorted(specs.items())
        }
        return GroupTable(version=version, groups=groups)


def check_version(table: GroupTable, name: str, expected: int | None) -> None:
    """Raises GroupConflict unless the group is at version ``expected``; 0: it is not there (GroupExists). None: any."""
    stored = table.groups.get(name)
    if expected is None or expected == (stored.version if stored else 0):
        return
    if stored is None:
        message = f"there is no group {name!r} any more to be changed on top of version {expected}"
        raise GroupConflict(message, {"group": name, "version": 0})
    details = {"group": name, "version": stored.version}
    if expected == 0:
        raise GroupExists(f"there is a group {name!r} already", details)
    raise GroupConflict(
        f"group {name!r} is at version {stored.version}, not {expected}; read it and change it again", details
    )


def check_delete(table: GroupTable, names: Collection[str]) -> None:
    """Raises GroupIncluded when a group that stays includes one of ``names``."""
    for name in sorted(names):
        includers = [
            other for other, spec in sorted(table.specs.items()) if name in spec.include_groups and other not in names
        ]
        if includers:
            raise GroupIncluded(
                f"group {name!r} is included by {', '.join(map(repr, includers[:5]))}; take it out there first",
                {"group": name, "included_by": includers},
            )


def check_groups(
    specs: Mapping[str, GroupSpec], changed: Collection[str], registered: Collection[str], places: Places | None = None
) -> None:
    """Raises InvalidGroups with all that is wrong with the ``changed`` ones among all groups.

    ``registered`` are groups that agents name themselves: they may be included although the server does not keep them.
    """
    known = {*specs, *registered, ALL_SERVERS}
    found = [(name, path, text) for name in changed for path, text in _problems(specs[name], known)]
    if len(specs) > MAX_GROUPS:
        found.append(("", "", f"there would be {len(specs)} groups, the most is {MAX_GROUPS}"))
    cycle = None if found else find_cycle(specs)
    if cycle:
        found.append((cycle[0], "include_groups", f"groups include each other in a circle: {' → '.join(cycle)}"))
    if found:
        raise invalid([(_place(places or {}, name, path), name, path, text) for name, path, text in found])


def _problems(spec: GroupSpec, known: Collection[str]) -> Iterator[tuple[str, str]]:
    yield from spec_problems(spec)
    for number, included in enumerate(spec.include_groups):
        if included not in known:
            near = did_you_mean(included, {*known} - {spec.name})
            yield f"include_groups[{number}]", f"group {spec.name!r} includes {included!r}, which is not there{near}"


Place = dict[str, Any]
"""``file``, ``line`` and ``column`` (from 1), or nothing where the group did not come from a file."""

Places = Mapping[tuple[str, str], Place]
"""By group and path in the group (``agents[2]``); the empty path is the group itself."""

_MOST_TOLD = 3
_MOST_LISTED = 100


def _place(places: Places, name: str, path: str) -> Place:
    return places.get((name, path)) or places.get((name, ""), {})


def invalid(found: Sequence[tuple[Place, str, str, str]]) -> InvalidGroups:
    """The error for (place, group, path, sentence) each; its message tells the first ones."""
    found = sorted(found, key=lambda each: (each[0].get("line", 0), each[0].get("column", 0)))
    errors = [
        {"path": ".".join(filter(None, (name, path))), "message": text, **place}
        for place, name, path, text in found[:_MOST_LISTED]
    ]
    more = f" (and {len(found) - _MOST_TOLD} more)" if len(found) > _MOST_TOLD else ""
    return InvalidGroups("; ".join(map(_told, errors[:_MOST_TOLD])) + more, {"errors": errors})


def _told(error: dict[str, Any]) -> str:
    where = f"{error['file']}:{error['line']}:{error['column']}: " if "line" in error else ""
    return where + error["message"]


def changes(before: Mapping[str, GroupSpec], after: Mapping[str, GroupSpec]) -> list[GroupChange]:
    """What is different, by name."""
    found: list[GroupChange] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            action = "create" if old is None else "delete" if new is None else "update"
            found.append(GroupChange(name=name, action=action, before=old, after=new))
    return found


def with_members(spec: GroupSpec, add: Sequence[str], remove: Sequence[str]) -> GroupSpec:
    """The group with agents listed and taken off its list. Raises InvalidGroups for one that is not on it."""
    missing = [agent for agent in remove if agent not in spec.agents]
    if missing:
        near = did_you_mean(missing[0], spec.agents)
        raise invalid([({}, spec.name, "agents", f"group {spec.name!r} does not list agent {missing[0]!r}{near}")])
    listed = [*spec.agents, *(agent for agent in add if agent not in spec.agents)]
    return msgspec.structs.replace(spec, agents=[agent for agent in listed if agent not in remove])
