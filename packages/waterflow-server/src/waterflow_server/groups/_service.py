"""The groups, for the API: read with their members, changed one by one or by a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from temporalio.client import Client

from waterflow_sdk.wire import (
    AgentState,
    AgentStatus,
    GroupMember,
    GroupPut,
    GroupsApplied,
    GroupsApply,
    GroupSpec,
    GroupState,
    MembersChange,
)

from .._nearest import did_you_mean
from ..presence import AgentFacts
from ._errors import GroupNotFound
from ._file import parse_groups
from ._membership import Membership
from ._names import ALL_SERVERS, name_problem
from ._store import TableStore
from ._table import (
    GroupTable,
    StoredGroup,
    changes,
    check_delete,
    check_groups,
    check_version,
    invalid,
    with_members,
)

Specs = dict[str, GroupSpec]
ALL_SERVERS_DESCRIPTION = "Every agent; built in."


class AgentSource(Protocol):
    """Where the agents come from (:class:`waterflow_server.presence.AgentRegistry`)."""

    async def list(self) -> Sequence[AgentState]:
        """All agents."""
        ...


class Groups:
    """The group service. All state is in Temporal; nothing is kept here."""

    def __init__(self, client: Client, agents: AgentSource) -> None:
        self._tables = TableStore(client)
        self._agents = agents

    async def table(self) -> GroupTable:
        """What the server keeps."""
        return await self._tables.read()

    async def list(self) -> list[GroupState]:
        """All groups, by name: kept, named by agents, and built in; without members."""
        states = _states(await self._tables.read(), await self._agents.list())
        return [msgspec.structs.replace(state, members=[], absent=[]) for state in states.values()]

    async def get(self, name: str) -> GroupState:
        """One group with its members. Raises GroupNotFound."""
        return _find(_states(await self._tables.read(), await self._agents.list()), name)

    async def create(self, spec: GroupSpec) -> GroupState:
        """A new group. Raises GroupExists and InvalidGroups."""
        return await self._put(spec, 0)

    async def put(self, name: str, given: GroupPut) -> GroupState:
        """The group anew. Raises InvalidGroups, GroupConflict and, for version 0, GroupExists."""
        spec = GroupSpec(
            name=name,
            description=given.description,
            agents=given.agents,
            include_groups=given.include_groups,
            tags=given.tags,
            target=given.target,
        )
        return await self._put(spec, given.version)

    async def change_members(self, name: str, change: MembersChange) -> GroupState:
        """List agents in a group, or no longer. Raises GroupNotFound, GroupConflict and InvalidGroups."""

        def edit(specs: Specs, table: GroupTable) -> Specs:
            check_version(table, name, change.version)
            after = {**specs, name: with_members(table.find(name).spec, change.add, change.remove)}
            check_groups(after, [name], specs.keys() | set(after[name].include_groups))
            return after

        await self._edit(edit)
        return await self.get(name)

    async def delete(self, name: str, version: int | None = None) -> None:
        """Forget a group. Raises GroupNotFound, GroupConflict, GroupIncluded, InvalidGroups for the built-in one."""
        if name == ALL_SERVERS:
            raise invalid([({}, "", "", name_problem(name))])
        states = _states(await self._tables.read(), await self._agents.list())

        def edit(specs: Specs, table: GroupTable) -> Specs:
            if name not in specs and name in states:
                raise _not_kept(states[name])
            table.find(name)
            check_version(table, name, version)
            check_delete(table, [name])
            return {other: spec for other, spec in specs.items() if other != name}

        await self._edit(edit)

    async def apply(self, request: GroupsApply) -> GroupsApplied:
        """All groups of a file at once, or none. Raises InvalidGroups and GroupIncluded."""
        file = parse_groups(request.yaml, request.filename)
        agents = await self._agents.list()
        found: list[GroupsApplied] = []

        def edit(specs: Specs, table: GroupTable) -> Specs:
            after = dict(file.specs) if request.prune else {**specs, **file.specs}
            if request.prune:
                check_delete(msgspec.structs.replace(table, groups=_as_stored(after)), specs.keys() - after.keys())
            check_groups(after, list(file.specs), _registered(agents), file.places)
            unchanged = [name for name, spec in sorted(file.specs.items()) if specs.get(name) == spec]
            found.append(
                GroupsApplied(
                    changes=changes(specs, after),
                    unchanged=unchanged,
                    warnings=_warnings(file.specs, agents, file.places),
                    dry_run=request.dry_run,
                )
            )
            return after

        if request.dry_run:
            table = await self._tables.read()
            edit(table.specs, table)
        else:
            await self._edit(edit)
        return found[-1]

    async def _put(self, spec: GroupSpec, version: int | None) -> GroupState:
        registered = _registered(await self._agents.list())

        def edit(specs: Specs, table: GroupTable) -> Specs:
            check_version(table, spec.name, version)
            after = {**specs, spec.name: spec}
            check_groups(after, [spec.name], registered)
            return after

        await self._edit(edit)
        return await self.get(spec.name)

    async def _edit(self, edit: Callable[[Specs, GroupTable], Specs]) -> None:
        now = datetime.now(UTC)
        await self._tables.change(lambda table: table.replace(edit(table.specs, table), now))


def _states(table: GroupTable, agents: Sequence[AgentState]) -> dict[str, GroupState]:
    membership = Membership(table.specs.values())
    members: dict[str, list[GroupMember]] = {ALL_SERVERS: [], **{name: [] for name in table.groups}}
    for agent in agents:
        for name, sources in membership.of(AgentFacts.shown(agent)).items():
            member = GroupMember(id=agent.id, name=agent.name, status=agent.status, sources=sources)
            members.setdefault(name, []).append(member)
    present = {word for agent in agents for word in (agent.id, agent.name)}
    return {name: _state(name, table.groups.get(name), found, present) for name, found in sorted(members.items())}


def _state(name: str, stored: StoredGroup | None, members: list[GroupMember], present: set[str]) -> GroupState:
    state = GroupState(
        name=name,
        size=len(members),
        online=sum(member.status is AgentStatus.ONLINE for member in members),
        members=members,
    )
    if stored is None:
        built_in = name == ALL_SERVERS
        return msgspec.structs.replace(state, description=ALL_SERVERS_DESCRIPTION, target="all") if built_in else state
    spec = stored.spec
    return msgspec.structs.replace(
        state,
        description=spec.description,
        agents=spec.agents,
        include_groups=spec.include_groups,
        tags=spec.tags,
        target=spec.target,
        version=stored.version,
        changed=stored.changed,
        absent=[agent for agent in spec.agents if agent not in present],
    )


def _find(states: Mapping[str, GroupState], name: str) -> GroupState:
    if name not in states:
        raise GroupNotFound(f"there is no group {name!r}{did_you_mean(name, states)}", {"group": name})
    return states[name]


def _not_kept(state: GroupState) -> GroupNotFound:
    names = ", ".join(member.name for member in state.members[:5])
    return GroupNotFound(
        f"the server does not keep group {state.name!r}: {names} name it themselves, in their own settings",
        {"group": state.name},
    )


def _registered(agents: Sequence[AgentState]) -> set[str]:
    return {group for agent in agents for group in AgentFacts.shown(agent).groups}


def _as_stored(specs: Specs) -> dict[str, StoredGroup]:
    return {name: StoredGroup(spec=spec, version=0, changed=datetime.min) for name, spec in specs.items()}


def _warnings(specs: Specs, agents: Sequence[AgentState], places: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Listed agents that do not exist: they may come later, but a typing error is likelier."""
    present = {word for agent in agents for word in (agent.id, agent.name)}
    return [
        {
            "path": f"{name}.agents[{number}]",
            "message": f"group {name!r} lists agent {agent!r}, which is not there{did_you_mean(agent, present)}",
            **places.get((name, f"agents[{number}]"), {}),
        }
        for name, spec in specs.items()
        for number, agent in enumerate(spec.agents)
        if agent not in present
    ]
