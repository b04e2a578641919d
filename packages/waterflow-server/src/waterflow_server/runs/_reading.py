"""Looking at runs: one run's state tree now or at a moment of the past, and lists."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from temporalio.client import Client
from temporalio.service import RPCError

from waterflow_sdk.wire import JobState, RunPage, RunState, State

from ._as_of import as_of
from ._asking import AT_ONCE
from ._errors import RunNotFound
from ._listing import RunQuery, list_runs, retries_of
from ._tree import RunTree
from ._watch import RunWatch

_EVERY = RunQuery()


class RunReader:
    """Reads runs of one Temporal namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, run_id: str, *, full: bool = True, at: datetime | None = None) -> RunState:
        """The state tree; ``full`` asks every job instance for its steps too. Raises RunNotFound.

        A job that waits for an agent is asked in any case: only it knows why it waits, and who has taken it. ``at`` is
        a moment of the past whose tree is wanted; raises ValueError for one before the run was submitted.
        """
        tree = RunTree(self._client, run_id)
        state = await tree.whole(await tree.run(await tree.describe()))
        gate = asyncio.Semaphore(AT_ONCE)

        async def detailed(job: JobState) -> JobState:
            if not (full or at is not None) and (job.agent is not None or job.state is not State.RUNNING):
                return job
            async with gate:
                return await tree.job(job)

        jobs = await asyncio.gather(*(detailed(job) for job in state.jobs))
        state = msgspec.structs.replace(state, jobs=list(jobs))
        if full:
            retries = await retries_of(self._client, run_id)
            names = [name for submitted, name in retries if at is None or submitted <= at]
            state = msgspec.structs.replace(state, retries=names)
        state = state if at is None else as_of(state, at)
        return state if full else _without_steps(state)

    async def knows(self, run_id: str) -> bool | None:
        """Whether Temporal has the run, living or ended; None while it cannot say."""
        try:
            await RunTree(self._client, run_id).describe()
        except RunNotFound:
            return False
        except RPCError:
            return None
        return True

    def watch(self, run_id: str) -> RunWatch:
        """The full tree again and again, for somebody who follows the run."""
        return RunWatch(self._client, run_id)

    async def list(self, query: RunQuery = _EVERY, *, limit: int = 50, cursor: str | None = None) -> RunPage:
        """Runs, newest first, from visibility alone. Raises ValueError for a cursor that is not one of ours."""
        return await list_runs(self._client, query, limit, cursor)


def _without_steps(state: RunState) -> RunState:
    jobs = [msgspec.structs.replace(job, steps=[]) if job.steps else job for job in state.jobs]
    return msgspec.structs.replace(state, jobs=jobs)
