"""The groups that the server gives an agent are asked for when it says hello. Called from its workflow."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, FailureError

from waterflow_sdk.wire import AgentHello

from ._facts import AGENT_GROUPS_ACTIVITY, AgentFacts, Assignment

_AT_HAND = "2026-11-groups-at-hand"
_HERE_WITHIN = timedelta(seconds=5)
_TIMEOUT = timedelta(seconds=10)
_WITHIN = timedelta(seconds=25)  # an agent that has no lease after 30 s says hello again


async def ask_groups(hello: AgentHello) -> Assignment | None:
    """What the agent is a member of depends on what it says of itself: its name, its tags, what it can do.

    Asked in the workflow task that takes the hello, as this server has the answer at hand: by way of the queue it takes
    another workflow task, which was half of what hundreds of agents cost that come back from an outage. Where the
    answer is not there at once it is asked for by the queue nevertheless, for there it holds up nobody else.

    None if it cannot be known now: better at work in its former groups than not at all; the next change of a group puts
    it right.
    """
    facts = AgentFacts.said(hello)
    if workflow.patched(_AT_HAND):
        with contextlib.suppress(FailureError):  # the activity's own error, not an ActivityError around it
            return await _at_hand(facts)
    try:
        return await _by_queue(facts)
    except ActivityError as error:
        workflow.logger.warning("the groups of agent %s could not be read: %s", hello.id, error.cause)
        return None


async def _at_hand(facts: AgentFacts) -> Assignment:
    return await workflow.execute_local_activity(
        AGENT_GROUPS_ACTIVITY,
        facts,
        result_type=Assignment,
        schedule_to_close_timeout=_HERE_WITHIN,
        retry_policy=RetryPolicy(maximum_attempts=1),
    )


async def _by_queue(facts: AgentFacts) -> Assignment:
    return await workflow.execute_activity(
        AGENT_GROUPS_ACTIVITY,
        facts,
        result_type=Assignment,
        schedule_to_close_timeout=_WITHIN,
        start_to_close_timeout=_TIMEOUT,
    )
