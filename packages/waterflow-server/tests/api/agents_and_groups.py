"""Agents and groups that remember what they were asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
from waterflow_server.groups import GroupNotFound
from waterflow_server.presence import Mode


class AgentsInMemory:
    """One agent."""

    agent = AgentState(id="a-1", name="web-01", status=AgentStatus.ONLINE)

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.error: Exception | None = None

    async def list(self) -> Sequence[AgentState]:
        return [self.agent]

    async def find(self, *, groups: Iterable[str] = (), tags: Iterable[str] = ()) -> Sequence[AgentState]:
        self._ask("find", list(groups), list(tags))
        return [self.agent]

    async def get(self, id_or_name: str) -> AgentState | None:
        return self.agent if id_or_name in (self.agent.id, self.agent.name) else None

    async def change_mode(self, id_or_name: str, mode: Mode, reason: str) -> AgentState:
        self._ask(mode, id_or_name, reason)
        return self.agent

    async def remove(self, id_or_name: str) -> None:
        self._ask("remove", id_or_name)

    def _ask(self, *question: object) -> None:
        self.asked.append(question)
        if self.error is not None:
            raise self.error


class GroupsInMemory:
    """One group."""

    member = GroupMember(id="a-1", name="web-01", status=AgentStatus.ONLINE, sources=["listed"])
    group = GroupState(name="web", agents=["web-01"], version=3, size=1, online=1, members=[member])

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.error: Exception | None = None

    async def list(self) -> Sequence[GroupState]:
        return [self.group]

    async def get(self, name: str) -> GroupState:
        if name != self.group.name:
            raise GroupNotFound(f"there is no group {name!r}", {"group": name})
        return self.group

    async def create(self, spec: GroupSpec) -> GroupState:
        return self._ask("create", spec)

    async def put(self, name: str, given: GroupPut) -> GroupState:
        return self._ask("put", name, given)

    async def change_members(self, name: str, change: MembersChange) -> GroupState:
        return self._ask("members", name, change)

    async def delete(self, name: str, version: int | None = None) -> None:
        self._ask("delete", name, version)

    async def apply(self, request: GroupsApply) -> GroupsApplied:
        self._ask("apply", request)
        return GroupsApplied(changes=[], unchanged=["web"], dry_run=request.dry_run)

    def _ask(self, *question: object) -> GroupState:
        self.asked.append(question)
        if self.error is not None:
            raise self.error
        return self.group
