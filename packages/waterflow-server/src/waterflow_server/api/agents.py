"""``/agents``: the agents as their presence shows them."""

from __future__ import annotations

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from waterflow_sdk.wire import AgentState

from .._nearest import did_you_mean
from ._openapi import problems
from ._problems import ApiError
from ._services import Services


class AgentController(Controller):
    """Agents."""

    path = "/agents"
    tags = ("agents",)

    @get("/", responses=problems(503))
    async def list_agents(self, services: NamedDependency[Services]) -> list[AgentState]:
        """All agents, by name, offline ones too."""
        return list(await services.agents.list())

    @get("/{agent_id:str}", responses=problems(404, 503))
    async def get_agent(self, agent_id: FromPath[str], services: NamedDependency[Services]) -> AgentState:
        """One agent by id or name, with its load."""
        agent = await services.agents.get(agent_id)
        if agent is None:
            names = {name for each in await services.agents.list() for name in (each.id, each.name)}
            raise ApiError("agent-not-found", f"there is no agent {agent_id!r}{did_you_mean(agent_id, names)}")
        return agent
