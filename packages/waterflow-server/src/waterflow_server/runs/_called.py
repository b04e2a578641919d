"""The jobs of called workflows, put into the tree of the run that they are a part of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import JobState, RunState, State, call_workflow_id

from ..engine._wire import STATE_QUERY
from ._asking import RPC_TIMEOUT
from ._shards import with_shards
from ._stuck import stuck


async def with_called(client: Client, run_id: str, jobs: Sequence[JobState]) -> list[JobState]:
    """The jobs, each one that calls a workflow followed by that one's, ``release/build`` behind ``release``."""
    found: list[JobState] = []
    for job in jobs:
        found.append(job)
        if job.calls and job.state not in (State.PENDING, State.SKIPPED):
            called = await _called(client, job.kept_from or run_id, job.instance)
            found += await with_called(client, run_id, [_part_of(job, each) for each in called])
    return found


def _part_of(caller: JobState, job: JobState) -> JobState:
    """Its id says whose part it is, as its instance does; kept with its caller, it was kept from the same run."""
    return msgspec.structs.replace(job, id=f"{caller.id}/{job.id}", kept_from=job.kept_from or caller.kept_from)


async def _called(client: Client, run_id: str, instance: str) -> list[JobState]:
    workflow_id = call_workflow_id(run_id, instance)
    handle: WorkflowHandle[object, RunState] = client.get_workflow_handle(workflow_id, result_type=RunState)
    try:
        description = await handle.describe()
        if description.status is WorkflowExecutionStatus.RUNNING:
            state = await handle.query(STATE_QUERY, result_type=RunState, rpc_timeout=RPC_TIMEOUT)
            state = await with_shards(client, run_id, state)
        else:
            state = await handle.result()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # it has not started, or never will
            return []
        if await stuck(client, workflow_id, error):
            return []
        raise
    except WorkflowFailureError:  # ended through Temporal itself: its caller's error says so
        return []
    return state.jobs
