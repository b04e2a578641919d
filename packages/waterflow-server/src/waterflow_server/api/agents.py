"""``/agents``: the agents as their presence shows them, and what an administrator does to them."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from waterflow_sdk.wire import AgentState, AgentStatus, ModeRequest

from .._nearest import did_you_mean
from ._body import JsonRequest
from ._openapi import problems
from ._problems import ApiError
from ._scopes import ADMIN, READ
from ._services import Services

Groups = Annotated[
    list[str] | None, QueryParameter(name="group", description="Members of any of these; may be repeated.")
]
Tags = Annotated[
    list[str] | None,
    QueryParameter(name="tag", description="With all of these among their tags and capabilities; may be repeated."),
]
Statuses = Annotated[
    list[AgentStatus] | None, QueryParameter(name="status", description="Any of these; may be repeated.")
]


class AgentController(Controller):
    """Agents."""

    path = "/agents"
    tags = ("agents",)
    opt = READ
    request_class = JsonRequest

    @get("/", responses=problems(400, 503))
    async def list_agents(
        self,
        services: NamedDependency[Services],
        groups: Groups = None,
        tags: Tags = None,
        statuses: Statuses = None,
    ) -> list[AgentState]:
        """The agents, by name, offline ones too; all of them where nothing else is asked for."""
        agents = await services.agents.find(groups=groups or (), tags=tags or ())
        return [agent for agent in agents if not statuses or agent.status in statuses]

    @get("/{agent_id:str}", responses=problems(404, 503))
    async def get_agent(self, agent_id: FromPath[str], services: NamedDependency[Services]) -> AgentState:
        """One agent by id or name, with its load and what runs on it."""
        agent = await services.agents.get(agent_id)
        if agent is None:
            names = {name for each in await services.agents.list() for name in (each.id, each.name)}
            raise ApiError("agent-not-found", f"there is no agent {agent_id!r}{did_you_mean(agent_id, names)}")
        return agent

    @post("/{agent_id:str}/cordon", opt=ADMIN, status_code=200, responses=problems(400, 404, 409, 422, 503))
    async def cordon(
        self, agent_id: FromPath[str], services: NamedDependency[Services], data: JSONBody[ModeRequest | None] = None
    ) -> AgentState:
        """No new work for the agent; running jobs go on. Holds over restarts."""
        return await services.agents.change_mode(agent_id, "cordon", (data or ModeRequest()).reason)

    @post("/{agent_id:str}/drain", opt=ADMIN, status_code=200, responses=problems(400, 404, 409, 422, 503))
    async def drain(
        self, agent_id: FromPath[str], services: NamedDependency[Services], data: JSONBody[ModeRequest | None] = None
    ) -> AgentState:
        """As cordon, and says that the host is to become empty. `load` tells when it is."""
        return await services.agents.change_mode(agent_id, "drain", (data or ModeRequest()).reason)

    @post("/{agent_id:str}/uncordon", opt=ADMIN, status_code=200, responses=problems(400, 404, 409, 422, 503))
    async def uncordon(
        self, agent_id: FromPath[str], services: NamedDependency[Services], data: JSONBody[ModeRequest | None] = None
    ) -> AgentState:
        """Work as usual again."""
        return await services.agents.change_mode(agent_id, "uncordon", (data or ModeRequest()).reason)

    @delete("/{agent_id:str}", opt=ADMIN, responses=problems(404, 409, 503))
    async def remove(self, agent_id: FromPath[str], services: NamedDependency[Services]) -> None:
        """Forget an agent that is offline. 409: it lives. One that says hello again is there again."""
        await services.agents.remove(agent_id)
