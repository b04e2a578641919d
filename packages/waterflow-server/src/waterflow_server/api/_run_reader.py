"""The state of a run for somebody who follows it for hours."""

from __future__ import annotations

from temporalio.service import RPCError

from waterflow_sdk.wire import RunState

from ..logs import RunReader
from ._services import RunService


def run_reader(runs: RunService, run_id: str) -> RunReader:
    """Reads the run's state. While Temporal is away it is not known, but lines of the log may come all the same."""

    async def read(full: bool) -> RunState | None:
        try:
            return await runs.get(run_id, full=full)
        except RPCError:
            return None

    return read
