"""Looking at one run again and again, cheaply: only what has changed is asked for."""

from __future__ import annotations

import asyncio

import msgspec
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import JobState, RunState

from ._asking import AT_ONCE
from ._tree import RunTree, never_asked


class _Seen(msgspec.Struct, frozen=True):
    """A job instance as it was when its workflow's history had this length."""

    stamp: tuple[str, int]
    job: JobState


class RunWatch:
    """The full tree of one run, for somebody who follows it.

    A job instance that has ended is asked once more and never again. Of one that lives, Temporal tells the length of
    its history without any worker; it is asked only when that has changed, because no state changes without an event
    there. A job that has not changed since the last look is the same object.
    """

    def __init__(self, client: Client, run_id: str) -> None:
        self._client = client
        self._tree = RunTree(client, run_id)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._ended: dict[str, JobState] = {}
        self._living: dict[str, _Seen] = {}
        self._run: tuple[tuple[str, int], RunState] | None = None

    async def look(self) -> RunState:
        """The tree now. Raises RunNotFound, RPCError."""
        description = await self._tree.describe()
        stamp = _stamp(description)
        if self._run is None or self._run[0] != stamp:
            self._run = stamp, await self._tree.run(description)
        state = await self._tree.whole(self._run[1])
        jobs = await asyncio.gather(*(self._job(job) for job in state.jobs))
        return msgspec.structs.replace(state, jobs=list(jobs))

    async def _job(self, job: JobState) -> JobState:
        if never_asked(job):
            return job
        if (known := self._ended.get(job.instance)) is not None:
            return known
        async with self._gate:
            found = await self._asked(job)
        if found.state.ended:
            self._living.pop(job.instance, None)
            self._ended[job.instance] = found
        return found

    async def _asked(self, job: JobState) -> JobState:
        try:
            stamp = _stamp(await self._client.get_workflow_handle(self._tree.job_id(job)).describe())
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return job
            raise
        seen = self._living.get(job.instance)
        if seen is None or seen.stamp != stamp:
            seen = self._living[job.instance] = _Seen(stamp, await self._tree.job(job))
        return seen.job


def _stamp(description: WorkflowExecution) -> tuple[str, int]:
    return description.run_id, description.history_length
