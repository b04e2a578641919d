"""What the presence workflows and activities say to each other inside the server."""

from __future__ import annotations

from waterflow_sdk.wire import AgentHello, AgentRef, AgentState, AgentStatus, Wire

FIND_AGENTS_ACTIVITY = "FindAgents"
"""On the orchestrator queue: the members that a target names. ``AgentQuery`` → ``list[AgentState]``."""

CHOOSE_AGENT_ACTIVITY = "ChooseAgent"
"""On the orchestrator queue: the member with the least to do. ``ChoiceQuery`` → ``AgentChoice``."""

MISSING_MANIFESTS_ACTIVITY = "MissingManifests"
"""On the orchestrator queue: which manifests are not stored yet. ``list[str]`` of digests → ``list[str]``."""

STORE_MANIFESTS_ACTIVITY = "StoreManifests"
"""On the orchestrator queue: keep manifests by digest. ``list[NodeManifest]`` → ``None``."""

ALL_SERVERS = "all-servers"
"""The built-in group: every agent is a member."""

MANIFEST_KIND = "manifest"
"""Kind of the documents that hold node manifests; their name is the digest."""

STATE_MEMO = "agent"
"""Memo field of an agent's workflow: its ``AgentState`` without the load."""


class AgentQuery(Wire, frozen=True, kw_only=True):
    """Which agents a target names: members of any of ``groups`` that have all ``tags``; ``agent`` is one id or name.

    What is empty does not restrict; an empty query names every agent.
    """

    groups: list[str] = []
    tags: list[str] = []
    agent: str | None = None


class ChoiceQuery(Wire, frozen=True, kw_only=True):
    """As :class:`AgentQuery`; ``nodes`` and ``capabilities`` are those that the job uses, so that whoever lacks one
    comes last, or with ``strict`` never. ``without`` are the ids of agents that do not count.
    """

    groups: list[str] = []
    tags: list[str] = []
    nodes: list[str] = []
    capabilities: list[str] = []
    strict: bool = False
    without: list[str] = []


class AgentChoice(Wire, frozen=True, kw_only=True):
    """Who takes the job; None with all ``members``, offline ones included, where nobody can. Where the query was
    ``strict``, these are the ones that have all that the job uses.
    """

    agent: AgentRef | None = None
    members: list[AgentState] = []


class AgentMemory(Wire, frozen=True, kw_only=True):
    """What an agent's workflow takes along when it continues as new.

    ``assigned`` are groups that the server gave to the agent, ``mode`` is what an administrator asked for, and
    ``attend`` says that the incarnation of ``hello`` still has to get its lease.
    """

    hello: AgentHello | None = None
    assigned: list[str] = []
    assigned_version: int = 0
    mode: AgentStatus = AgentStatus.ONLINE
    mode_reason: str = ""
    attend: bool = False
    shown: AgentState | None = None


class ByeNote(Wire, frozen=True, kw_only=True):
    """An incarnation is about to stop: it takes no new work and ends what runs."""

    incarnation: str
    reason: str = ""


class ModeChange(Wire, frozen=True, kw_only=True):
    """An administrator's reason for cordoning, draining or uncordoning."""

    reason: str = ""
