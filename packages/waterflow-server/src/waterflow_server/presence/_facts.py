"""What an agent says of itself that decides its groups."""

from __future__ import annotations

from waterflow_sdk.wire import AgentHello, AgentState, Wire

AGENT_GROUPS_ACTIVITY = "AgentGroups"
"""On the orchestrator queue: the groups that the server gives an agent. ``AgentFacts`` → ``Assignment``."""


class AgentFacts(Wire, frozen=True, kw_only=True):
    """What decides the groups of an agent. ``groups`` are those that it names itself.

    A capability counts as a tag of its name (``docker``), so that what an agent finds on its host can be asked for.
    """

    id: str
    name: str
    groups: list[str] = []
    tags: list[str] = []

    @classmethod
    def said(cls, hello: AgentHello) -> AgentFacts:
        """As the agent itself says."""
        return cls(id=hello.id, name=hello.name, groups=hello.groups, tags=tags_of(hello))

    @classmethod
    def shown(cls, agent: AgentState) -> AgentFacts:
        """As the agent is shown. Agents that an older server showed do not say which groups they name themselves."""
        own = agent.groups if agent.registered is None else agent.registered
        return cls(id=agent.id, name=agent.name, groups=own, tags=tags_of(agent))


class Assignment(Wire, frozen=True, kw_only=True):
    """Groups that the server gives an agent, by the version of its groups that they were read from."""

    groups: list[str] = []
    version: int = 0


def tags_of(agent: AgentHello | AgentState) -> list[str]:
    """Everything a tag may ask an agent for: its tags, and the names of its capabilities."""
    return sorted({*agent.tags, *agent.capabilities})
