"""Whether a task is still ours: a heartbeat that waits for Temporal's answer, which the worker's own ones do not."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from temporalio.client import AsyncActivityCancelledError, AsyncActivityHandle
from temporalio.service import RPCError, RPCStatusCode

PATIENCE = timedelta(seconds=5)
"""How long an answer may take."""


class Standing(Enum):
    """What Temporal says of a task."""

    OURS = "ours"
    CANCELLED = "cancelled"
    """Still ours, and to be ended."""
    GONE = "gone"
    """Timed out, given to somebody else, or its workflow is over."""
    SILENT = "silent"
    """No answer: nothing is known."""


async def standing(task: AsyncActivityHandle, *details: object, within: timedelta = PATIENCE) -> Standing:
    """Sends a heartbeat for the task, with details if there are any, and tells the answer."""
    try:
        await task.heartbeat(*details, rpc_timeout=within)
    except AsyncActivityCancelledError:
        return Standing.CANCELLED
    except RPCError as error:
        return Standing.GONE if error.status is RPCStatusCode.NOT_FOUND else Standing.SILENT
    return Standing.OURS
