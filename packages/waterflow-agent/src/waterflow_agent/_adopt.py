"""At the start: which attempts of a former incarnation go on, because the keeper has their processes."""

from __future__ import annotations

import logging
from collections.abc import Collection

import msgspec

from ._attempts import AttemptBook
from ._held import Held
from ._journal import Journal
from ._keeping import Context, Keeping
from ._logs import Logs
from ._registry import NodeRegistry

logger = logging.getLogger("waterflow.agent")


async def adopt(
    keeping: Keeping,
    journal: Journal,
    registry: NodeRegistry,
    attempts: AttemptBook,
    logs: Logs,
    failed: Collection[str] = (),
) -> set[str]:
    """Lets them go on, and answers their keys as text. The keeper drops the others, which are ended as any leftover.
    Those that have ``failed`` (keys as text) are among these: their nodes would end the agent again.

    Called before leftovers are ended, logs are shipped and anything is polled.
    """
    found = await keeping.find()
    unfinished = {str(attempt.key) for attempt in journal.unfinished()} if found else set[str]()
    adopted: set[str] = set()
    for held in found:
        if held.name in unfinished and held.name not in failed and _go_on(held, keeping, registry, attempts, logs):
            logger.info("the step of %s ran on while the agent was away, and is adopted", held.name)
            adopted.add(held.name)
        else:
            keeping.drop(held)
    return adopted


def _go_on(held: Held, keeping: Keeping, registry: NodeRegistry, attempts: AttemptBook, logs: Logs) -> bool:
    if held.fenced or not keeping.whole(held):
        return False
    try:
        context = msgspec.json.decode(held.context, type=Context)
    except msgspec.MsgspecError as error:  # written by another version of the agent
        logger.warning("%s cannot be adopted: %s", held.name, error)
        return False
    found = registry.get(context.task.node)
    if found is None or not found.node.resumable:
        return False
    logs.goes_on(held.name)
    attempts.go_on(context.attempt(held))
    return True
