"""What a server does now and then, beside what it is asked for."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

EVERY = 3600.0
"""Seconds between two times, about: replicas do not all come at once."""

_log = logging.getLogger("waterflow.server")


async def now_and_then(
    work: Callable[[], Awaitable[None]], trouble: type[Exception], told: str, every: float = EVERY
) -> None:
    """Do it again and again until cancelled. Trouble is told in those words, and it is tried again the next time."""
    while True:
        await asyncio.sleep(every * random.uniform(0.5, 1.5))
        try:
            await work()
        except trouble as error:
            _log.warning("%s: %s", told, error)
