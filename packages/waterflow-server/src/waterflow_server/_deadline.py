"""A limit for calls to Temporal that keeps a time-out and a cancel apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError


@asynccontextmanager
async def deadline(seconds: float) -> AsyncGenerator[None]:
    """Raises TimeoutError when what is inside takes longer, also where it is an update.

    Temporal's SDK makes one error of an update that timed out and of one whose task was cancelled: here the first is
    a TimeoutError, and a cancel from outside stays a CancelledError.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise TimeoutError from error
