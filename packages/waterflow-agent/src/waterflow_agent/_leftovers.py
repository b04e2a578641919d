"""What a former incarnation left behind when it was killed: its processes are ended, its attempts get an outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import timedelta

import msgspec
from temporalio.client import Client
from temporalio.service import RPCError

from waterflow_sdk.wire import AgentRef, ErrorInfo, LogEventKind, LogRef, NodeOutcome

from . import _clock
from ._confinement import reach_as
from ._end_processes import end_processes
from ._journal import Journal, Unfinished
from ._logs import Logs
from ._process_table import belonging_to
from ._stop import StopReason, stopped_error, stopped_state

logger = logging.getLogger("waterflow.agent")

_GRACE = 10.0
_ROUNDS = 20
_RPC_TIMEOUT = timedelta(seconds=5)


class Ended(msgspec.Struct, frozen=True):
    """An attempt that was ended, and the token of the activity that may still wait for it."""

    token: bytes
    outcome: NodeOutcome


async def end_leftovers(
    agent: AgentRef,
    journal: Journal,
    logs: Logs,
    grace: float = _GRACE,
    *,
    adopted: Collection[str] = (),
    crashed: Mapping[str, str] | None = None,
) -> list[Ended]:
    """Ends the processes and journals ``agent-restarted``, so that the same key sent again is answered, not executed.
    Attempts that are ``adopted`` (keys as text) go on; those that have ``crashed`` the agent failed for that reason.

    Called before anything is polled, and before logs are shipped.
    """
    left = [attempt for attempt in journal.unfinished() if str(attempt.key) not in adopted]
    ended: list[Ended] = []
    if left:
        await _end_processes(left, grace)
    for attempt in left:
        why = _why((crashed or {}).get(str(attempt.key), ""))
        outcome = _outcome(agent, attempt, why, _note(logs, attempt, why))
        journal.finish(attempt.key, outcome)
        ended.append(Ended(attempt.token, outcome))
    return ended


async def report(client: Client, ended: list[Ended]) -> None:
    """Tells Temporal at once, so that nobody waits until the heartbeats are missed. Where that is too late,
    the attempt is sent again and answered from the journal.
    """
    await asyncio.gather(*(_report(client, each) for each in ended if each.token))


async def _report(client: Client, ended: Ended) -> None:
    handle = client.get_async_activity_handle(task_token=ended.token)
    try:
        await handle.complete(ended.outcome, rpc_timeout=_RPC_TIMEOUT)
    except RPCError as error:
        logger.info("an attempt that was ended at the start will be asked for again: %s", error.message)


async def _end_processes(left: list[Unfinished], grace: float) -> None:
    """Looks again after each round: what was ended may have started something meanwhile."""
    keys = {str(attempt.key) for attempt in left}
    groups = {group: started for attempt in left for group, started in attempt.groups.items()}
    reaches = [reach for user in {user for attempt in left for user in attempt.users} if (reach := reach_as(user))]
    for _round in range(_ROUNDS):
        for reach in reaches:
            await end_processes(await reach.marked(keys), grace, reach.send)
        processes = belonging_to(keys, groups)
        if not processes:
            return
        logger.warning("ending %d processes that a former start of this agent left behind", len(processes))
        await end_processes(processes, grace)
        grace = 0.0
    logger.error("processes of a former start of this agent cannot be ended: %s", belonging_to(keys, groups))


def _why(crash: str) -> ErrorInfo:
    return ErrorInfo(code="node-crashed", message=crash) if crash else stopped_error(StopReason.AGENT_RESTARTED)


def _outcome(agent: AgentRef, attempt: Unfinished, why: ErrorInfo, log: LogRef | None) -> NodeOutcome:
    return NodeOutcome(
        state=stopped_state(StopReason.AGENT_RESTARTED),
        agent=agent,
        started=attempt.started,
        ended=_clock.now(),
        error=why,
        log=log,
    )


def _note(logs: Logs, attempt: Unfinished, why: ErrorInfo) -> LogRef | None:
    """Ends the story in the attempt's log; the outcome counts more than its log."""
    try:
        log = logs.open(str(attempt.key))
    except OSError as error:
        logger.warning("the log of %s cannot be ended: %s", attempt.key, error.strerror)
        return None
    state = stopped_state(StopReason.AGENT_RESTARTED).value
    log.event(LogEventKind.STEP_ENDED, why.message, {"state": state})
    return log.close()
