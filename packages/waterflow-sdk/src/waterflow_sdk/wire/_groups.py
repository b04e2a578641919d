"""Groups of agents, as the server keeps them and as the REST API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ._base import Wire
from ._presence import AgentStatus

GroupTarget = Literal["any", "all"]
"""What ``runs-on: <group>`` alone means: one healthy member, or every member."""

MemberSource = Literal["listed", "registered", "tags", "included", "built-in"]
"""Why an agent is a member: listed by id or name, named by the agent itself, matched by the tags, or a member of an
included group; every agent is one of ``all-servers``, which is built in."""


class GroupSpec(Wire, frozen=True, kw_only=True):
    """A group as somebody wrote it down.

    ``agents`` are ids or names. ``tags`` match an agent that fulfils each of them: ``ssd`` (has the tag, or a
    capability of that name), ``env=prod`` (has exactly this tag), ``env=*`` (any value), ``!ssd`` (has not).
    ``include_groups`` bring their members in.
    """

    name: str
    description: str = ""
    agents: list[str] = []
    include_groups: list[str] = []
    tags: list[str] = []
    target: GroupTarget = "any"


class GroupMember(Wire, frozen=True, kw_only=True):
    """An agent of a group, and each reason why it is one. Only ``online`` members get work."""

    id: str
    name: str
    status: AgentStatus
    sources: list[MemberSource]


class GroupState(Wire, frozen=True, kw_only=True):
    """A group and who is in it.

    ``version`` is 0 for a group that the server does not keep: agents name it themselves, or it is built in. ``size``
    counts the members, ``online`` those that get work. Lists leave ``members`` out, and ``absent``: listed agents that
    do not exist.
    """

    name: str
    description: str = ""
    agents: list[str] = []
    include_groups: list[str] = []
    tags: list[str] = []
    target: GroupTarget = "any"
    version: int = 0
    changed: datetime | None = None
    size: int = 0
    online: int = 0
    members: list[GroupMember] = []
    absent: list[str] = []


class GroupPut(Wire, frozen=True, kw_only=True):
    """``PUT /v1/groups/{name}``: the whole group anew. With a ``version``, only on top of that one (0: a new group)."""

    description: str = ""
    agents: list[str] = []
    include_groups: list[str] = []
    tags: list[str] = []
    target: GroupTarget = "any"
    version: int | None = None


class MembersChange(Wire, frozen=True, kw_only=True):
    """``POST /v1/groups/{name}/members``: agents, by id or name, to list in the group and to take off its list."""

    add: list[str] = []
    remove: list[str] = []
    version: int | None = None


class GroupsApply(Wire, frozen=True, kw_only=True):
    """``POST /v1/groups/apply``: a ``server-groups.yml`` as text. ``prune`` deletes groups that it does not name."""

    yaml: str
    filename: str = "server-groups.yml"
    dry_run: bool = False
    prune: bool = False


class GroupChange(Wire, frozen=True, kw_only=True):
    """One difference between a file and the groups: ``before`` is None for a new group, ``after`` for a deleted one."""

    name: str
    action: Literal["create", "update", "delete"]
    before: GroupSpec | None = None
    after: GroupSpec | None = None


class GroupsApplied(Wire, frozen=True, kw_only=True):
    """What was changed, or would be (``dry_run``). All of it is changed at once, or nothing."""

    changes: list[GroupChange]
    unchanged: list[str] = []
    warnings: list[dict[str, Any]] = []
    dry_run: bool = False
