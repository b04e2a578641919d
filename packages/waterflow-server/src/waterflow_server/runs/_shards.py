"""The instances of large jobs: while they run, their shards know more of them than the run does."""

from __future__ import annotations

import asyncio

import msgspec
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import JobState, RunState, job_workflow_id

from ..engine._wire import STATE_QUERY
from ._asking import RPC_TIMEOUT
from ._stuck import stuck


async def with_shards(client: Client, run_id: str, state: RunState) -> RunState:
    """The run's part with what its shards know: one query for each hundred instances."""
    if not state.shards:
        return state
    found = await asyncio.gather(*(_shard(client, job_workflow_id(run_id, shard)) for shard in state.shards))
    known = {job.instance: job for jobs in found for job in jobs}
    jobs = [_newer(job, known.get(job.instance)) for job in state.jobs]
    return msgspec.structs.replace(state, jobs=jobs, shards=[])


async def _shard(client: Client, workflow_id: str) -> list[JobState]:
    try:
        handle = client.get_workflow_handle(workflow_id)
        return await handle.query(STATE_QUERY, result_type=list[JobState], rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # the run has been deleted meanwhile
            return []
        if await stuck(client, workflow_id, error):
            return []
        raise


def _newer(job: JobState, known: JobState | None) -> JobState:
    if known is None or job.state.ended:
        return job
    return msgspec.structs.replace(known, batch=job.batch, gate=job.gate)
