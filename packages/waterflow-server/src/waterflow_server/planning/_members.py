"""Which agents a target means, from the catalog's snapshot: the registry's rules without asking it again."""

from __future__ import annotations

from collections.abc import Sequence

from waterflow_dsl.plan import TargetPlan
from waterflow_sdk.wire import AgentState

from ..presence import tags_of


def members_of(agents: Sequence[AgentState], target: TargetPlan) -> list[AgentState]:
    """The agents of any of the target's groups that have all its tags; by name, those that are offline too."""
    groups, tags, name = set(target.groups), set(target.tags), target.agent
    return [
        agent
        for agent in agents
        if (not groups or groups.intersection(agent.groups))
        and tags.issubset(tags_of(agent))
        and (name is None or name in (agent.id, agent.name))
    ]
