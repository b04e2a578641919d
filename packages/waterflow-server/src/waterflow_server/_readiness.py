"""Whether the server can do its work: Temporal answers, and the interpreter's worker runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from waterflow_sdk.wire import Health

from ._version import VERSION

_TIMEOUT = 3.0  # seconds


class Readiness:
    """Asks Temporal each time; ``worker_runs`` says whether the interpreter's worker polls."""

    def __init__(self, client: Client, address: str, worker_runs: Callable[[], bool]) -> None:
        self._client = client
        self._address = address
        self._worker_runs = worker_runs

    async def check(self) -> Health:
        """See :class:`waterflow_server.api.HealthService`."""
        reason = await self._reason()
        status = "unavailable" if reason else "ok"
        return Health(status=status, version=VERSION, temporal=self._address, reason=reason)

    async def _reason(self) -> str:
        if not self._worker_runs():
            return "the interpreter's worker does not run"
        try:
            async with asyncio.timeout(_TIMEOUT + 1):
                serving = await self._client.service_client.check_health(timeout=timedelta(seconds=_TIMEOUT))
        except (RPCError, TimeoutError) as error:
            return f"Temporal at {self._address} does not answer: {error or 'time-out'}"
        return "" if serving else f"Temporal at {self._address} says that it does not serve"
