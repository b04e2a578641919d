"""Groups of agents, as the client reads and changes them."""

from __future__ import annotations

from collections.abc import Sequence

from ..wire import GroupPut, GroupsApplied, GroupsApply, GroupSpec, GroupState, GroupTarget, MembersChange
from ._errors import GroupNotFound
from ._portal import Portal
from ._transport import Transport, segment

_PATH = "/v1/groups"


class Groups:
    """The groups of a server: ``client.groups``.

    A change returns when the agents that live have been told of it, in any case after some seconds. Raises
    :class:`InvalidGroups` for what cannot be, with ``errors`` for each place.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> list[GroupState]:
        """All groups, by name, without their members: what the server keeps, what agents name, ``all-servers``."""
        return await self._transport.call("GET", _PATH, list[GroupState])

    async def get(self, name: str) -> GroupState:
        """A group with its members. Raises :class:`GroupNotFound`."""
        return await self._transport.call("GET", self._address(name), GroupState, missing=GroupNotFound)

    async def create(
        self,
        name: str,
        *,
        description: str = "",
        agents: Sequence[str] = (),
        include_groups: Sequence[str] = (),
        tags: Sequence[str] = (),
        target: GroupTarget = "any",
    ) -> GroupState:
        """A new group: agents by id or name, those that match all ``tags``, and the members of included groups.

        With ``target`` ``all``, ``runs-on: <name>`` alone means every member. Raises :class:`GroupExists`.
        """
        spec = GroupSpec(
            name=name,
            description=description,
            agents=list(agents),
            include_groups=list(include_groups),
            tags=list(tags),
            target=target,
        )
        return await self._transport.call("POST", _PATH, GroupState, body=spec, safe=False)

    async def put(self, spec: GroupSpec, *, version: int | None = None) -> GroupState:
        """The whole group anew, or a new one; with ``version`` only on top of that one (0: it must not be there).

        Raises :class:`GroupConflict`.
        """
        body = GroupPut(
            description=spec.description,
            agents=spec.agents,
            include_groups=spec.include_groups,
            tags=spec.tags,
            target=spec.target,
            version=version,
        )
        return await self._transport.call("PUT", self._address(spec.name), GroupState, body=body)

    async def add(self, name: str, *agents: str, version: int | None = None) -> GroupState:
        """List agents, by id or name, in a group. Raises :class:`GroupNotFound` and :class:`GroupConflict`."""
        return await self._members(name, MembersChange(add=list(agents), version=version))

    async def remove(self, name: str, *agents: str, version: int | None = None) -> GroupState:
        """Take agents off the list of a group; whoever is in it by tags or by its own word stays.

        Raises :class:`GroupNotFound` and :class:`GroupConflict`.
        """
        return await self._members(name, MembersChange(remove=list(agents), version=version))

    async def delete(self, name: str) -> None:
        """Forget a group. Raises :class:`GroupNotFound`, and :class:`GroupIncluded` while others include it."""
        await self._transport.send("DELETE", self._address(name), missing=GroupNotFound)

    async def apply(
        self, yaml: str, *, filename: str = "server-groups.yml", dry_run: bool = False, prune: bool = False
    ) -> GroupsApplied:
        """All groups of a ``server-groups.yml`` (its text) at once, or none; what that changes.

        ``prune`` deletes the groups that the file does not name; ``dry_run`` only says what would change.
        """
        body = GroupsApply(yaml=yaml, filename=filename, dry_run=dry_run, prune=prune)
        return await self._transport.call("POST", f"{_PATH}/apply", GroupsApplied, body=body)

    async def _members(self, name: str, change: MembersChange) -> GroupState:
        path = f"{self._address(name)}/members"
        return await self._transport.call("POST", path, GroupState, body=change, missing=GroupNotFound, safe=False)

    def _address(self, name: str) -> str:
        return f"{_PATH}/{segment(name)}"


class SyncGroups:
    """The groups of a server; see :class:`Groups`."""

    def __init__(self, portal: Portal, groups: Groups) -> None:
        self._portal = portal
        self._groups = groups

    def list(self) -> list[GroupState]:
        """See :meth:`Groups.list`."""
        return self._portal.call(self._groups.list())

    def get(self, name: str) -> GroupState:
        """See :meth:`Groups.get`."""
        return self._portal.call(self._groups.get(name))

    def create(
        self,
        name: str,
        *,
        description: str = "",
        agents: Sequence[str] = (),
        include_groups: Sequence[str] = (),
        tags: Sequence[str] = (),
        target: GroupTarget = "any",
    ) -> GroupState:
        """See :meth:`Groups.create`."""
        created = self._groups.create(
            name, description=description, agents=agents, include_groups=include_groups, tags=tags, target=target
        )
        return self._portal.call(created)

    def put(self, spec: GroupSpec, *, version: int | None = None) -> GroupState:
        """See :meth:`Groups.put`."""
        return self._portal.call(self._groups.put(spec, version=version))

    def add(self, name: str, *agents: str, version: int | None = None) -> GroupState:
        """See :meth:`Groups.add`."""
        return self._portal.call(self._groups.add(name, *agents, version=version))

    def remove(self, name: str, *agents: str, version: int | None = None) -> GroupState:
        """See :meth:`Groups.remove`."""
        return self._portal.call(self._groups.remove(name, *agents, version=version))

    def delete(self, name: str) -> None:
        """See :meth:`Groups.delete`."""
        self._portal.call(self._groups.delete(name))

    def apply(
        self, yaml: str, *, filename: str = "server-groups.yml", dry_run: bool = False, prune: bool = False
    ) -> GroupsApplied:
        """See :meth:`Groups.apply`."""
        return self._portal.call(self._groups.apply(yaml, filename=filename, dry_run=dry_run, prune=prune))
