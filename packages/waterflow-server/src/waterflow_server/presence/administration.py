"""What an administrator does to agents: cordon, drain, uncordon, remove. The agents' workflows decide."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Literal

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import AgentState, agent_workflow_id

from .._deadline import deadline
from .._errors import ServerError
from .._nearest import did_you_mean
from ._wire import ModeChange
from .registry import AgentRegistry

Mode = Literal["cordon", "drain", "uncordon"]

MAX_REASON = 500
_DEADLINE = 10.0
_SHOWN_WITHIN = 5.0
_POLL = 0.02


class AgentNotFound(ServerError):
    """There is no such agent."""

    code = "agent-not-found"


class AgentAmbiguous(ServerError):
    """Several agents have the name."""

    code = "agent-ambiguous"


class AgentAlive(ServerError):
    """An agent that holds its lease is not removed."""

    code = "agent-alive"


class InvalidReason(ServerError):
    """A reason that cannot be shown."""

    code = "invalid-reason"


class AgentUnavailable(ServerError):
    """No server's worker took the change in time; it may still take effect."""

    code = "agent-unavailable"


class Agents(AgentRegistry):
    """The agents, to be read and to be administered."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._temporal = client

    async def one(self, id_or_name: str) -> AgentState:
        """The agent of that id, else the only one of that name. Raises AgentNotFound and AgentAmbiguous."""
        agents = await self.list()
        found = [agent for agent in agents if agent.id == id_or_name] or [
            agent for agent in agents if agent.name == id_or_name
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            near = did_you_mean(id_or_name, {name for agent in agents for name in (agent.id, agent.name)})
            raise AgentNotFound(f"there is no agent {id_or_name!r}{near}")
        which = ", ".join(f"{agent.id} on host {agent.host}" for agent in found[:5])
        raise AgentAmbiguous(
            f"{len(found)} agents have the name {id_or_name!r}: {which}; say which one by its id",
            {"ids": [agent.id for agent in found]},
        )

    async def change_mode(self, id_or_name: str, mode: Mode, reason: str) -> AgentState:
        """Cordon, drain or uncordon an agent; it holds over restarts. Answers the agent as it then is.

        Raises AgentNotFound, AgentAmbiguous, InvalidReason and AgentUnavailable.
        """
        if len(reason) > MAX_REASON or not (reason.isprintable() or not reason):
            raise InvalidReason(f"the reason must have at most {MAX_REASON} printable characters, in one line")
        agent = await self.one(id_or_name)
        await self._update(agent, mode, [ModeChange(reason=reason)])
        return await self.get(agent.id) or agent

    async def remove(self, id_or_name: str) -> None:
        """Forget an agent that is offline. Raises AgentNotFound, AgentAmbiguous, AgentAlive and AgentUnavailable."""
        agent = await self.one(id_or_name)
        await self._update(agent, "remove", [])
        # Lists come from visibility, which follows in a moment: who removes an agent does not want to see it again.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SHOWN_WITHIN):
                while any(each.id == agent.id for each in await self.list()):  # noqa: ASYNC110
                    await asyncio.sleep(_POLL)  # visibility tells nobody when it follows

    async def _update(self, agent: AgentState, update: str, arguments: list[Any]) -> None:
        handle = self._temporal.get_workflow_handle(agent_workflow_id(agent.id))
        try:
            async with deadline(_DEADLINE):
                await handle.execute_update(update, args=arguments)  # pyright: ignore[reportUnknownMemberType]
        except WorkflowUpdateFailedError as error:
            raise _refusal(error) from error
        except TimeoutError as error:
            raise AgentUnavailable(
                f"no server took the change of agent {agent.name!r} within {_DEADLINE:g} s; it may still take "
                "effect, so look at the agent before you try again"
            ) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise AgentNotFound(f"agent {agent.name!r} was removed just now") from error
            raise


def _refusal(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == "AgentAlive":
        return AgentAlive(cause.message)
    return error
