"""Forgetting a run that has ended: its workflow and those of its jobs leave Temporal."""

from __future__ import annotations

import asyncio

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import run_workflow_id

from ._asking import AT_ONCE, RPC_TIMEOUT
from ._errors import RunNotEnded, RunNotFound
from ._listing import quote
from ._tree import RunTree

_POLL = 0.1
_PATIENCE = 1.0


async def forget(client: Client, run_id: str) -> bool:
    """Remove the run; whether it is gone already. Raises RunNotFound and RunNotEnded.

    Temporal deletes in the background, and a run that has ended only just now not before its own books are closed,
    which takes up to half a minute: that is not waited for. A retry that kept results of the run keeps them, but no
    longer their steps.
    """
    tree = RunTree(client, run_id)
    description = await tree.describe()
    _refuse_living(run_id, description)
    own = run_workflow_id(run_id)
    query = f"WorkflowId = {quote(own)} OR WorkflowId STARTS_WITH {quote(f'{own}/')}"
    found = [execution async for execution in client.list_workflows(query)]
    for execution in found:
        _refuse_living(run_id, execution)
    gate = asyncio.Semaphore(AT_ONCE)
    jobs = [execution for execution in found if execution.id != own]
    # The run itself comes last: should this break off, it can still be found and deleted again.
    await asyncio.gather(*(_delete(client, execution, gate) for execution in jobs))
    runs = {execution.run_id: execution for execution in (*found, description) if execution.id == own}
    await asyncio.gather(*(_delete(client, execution, gate) for execution in runs.values()))
    return await _is_gone(tree)


def _refuse_living(run_id: str, execution: WorkflowExecution) -> None:
    if execution.status is WorkflowExecutionStatus.RUNNING:
        what = execution.id.removeprefix("run/")
        where = f"run {run_id}" if what == run_id else f"job {what.removeprefix(run_id + '/')} of run {run_id}"
        raise RunNotEnded(f"{where} has not ended; cancel it first, or wait")


async def _delete(client: Client, execution: WorkflowExecution, gate: asyncio.Semaphore) -> None:
    request = DeleteWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=Execution(workflow_id=execution.id, run_id=execution.run_id),
    )
    async with gate:
        try:
            await client.workflow_service.delete_workflow_execution(request, timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # somebody else was faster
                raise


async def _is_gone(tree: RunTree) -> bool:
    """Whether it goes within the patience of a request."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while asyncio.get_running_loop().time() < deadline:
        try:
            await tree.describe()
        except RunNotFound:
            return True
        await asyncio.sleep(_POLL)
    return False
