"""The groups that the server gives an agent are asked for when it says hello. Called from its workflow."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from waterflow_sdk.wire import AgentHello

from ._facts import AGENT_GROUPS_ACTIVITY, AgentFacts, Assignment

_LOCALLY = "2026-11-groups-asked-locally"
_TIMEOUT = timedelta(seconds=10)
_WITHIN = timedelta(seconds=25)  # an agent that has no lease after 30 s says hello again


async def ask_groups(hello: AgentHello) -> Assignment | None:
    """What the agent is a member of depends on what it says of itself: its name, its tags, what it can do.

    Asked in the workflow task that takes the hello, where this server has the answer at hand: by way of a queue it
    would take another workflow task, and a third of all that hundreds of agents cost that come back from an outage.

    None if it cannot be known now: better at work in its former groups than not at all; the next change of a group puts
    it right.
    """
    try:
        return await (_asked_here(hello) if workflow.patched(_LOCALLY) else _asked_by_queue(hello))
    except ActivityError as error:
        workflow.logger.warning("the groups of agent %s could not be read: %s", hello.id, error.cause)
        return None


async def _asked_here(hello: AgentHello) -> Assignment:
    return await workflow.execute_local_activity(
        AGENT_GROUPS_ACTIVITY,
        AgentFacts.said(hello),
        result_type=Assignment,
        schedule_to_close_timeout=_WITHIN,
        start_to_close_timeout=_TIMEOUT,
    )


async def _asked_by_queue(hello: AgentHello) -> Assignment:
    return await workflow.execute_activity(
        AGENT_GROUPS_ACTIVITY,
        AgentFacts.said(hello),
        result_type=Assignment,
        schedule_to_close_timeout=_WITHIN,
        start_to_close_timeout=_TIMEOUT,
    )
