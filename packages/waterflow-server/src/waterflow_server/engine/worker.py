"""The interpreter worker: all workflow types of the server on the orchestrator queue."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE

from .._structs import build_structs
from ..concurrency import WaterflowLock, lock_activities
from ..documents import DocumentWorkflow
from ..groups import GroupsWorkflow, group_activities
from ..inquiries import inquiry_activities
from ..inquiry import WaterflowInquiry
from ..presence import PRESENCE_WORKFLOWS, presence_activities
from ..schedules import WaterflowTrigger, schedule_activities
from ..secrets import SecretReferences
from .fanout.shard import WaterflowShard
from .job.workflow import WaterflowJob
from .run.workflow import WaterflowRun

WORKFLOWS = [
    WaterflowRun,
    WaterflowJob,
    WaterflowShard,
    WaterflowLock,
    WaterflowInquiry,
    WaterflowTrigger,
    DocumentWorkflow,
    GroupsWorkflow,
    *PRESENCE_WORKFLOWS,
]
"""Every workflow type that a server runs; what the replay tests replay."""

CACHED_WORKFLOWS = 1000
"""Workflows kept in memory between their tasks; beyond it they are rebuilt from history when needed."""


ACTIVITIES_AT_ONCE = 1000
"""They wait more than they work: one is held for every concurrency group that somebody waits for."""

STICKY_PATIENCE = timedelta(seconds=1)
"""How long Temporal keeps a workflow's tasks and queries for the worker that has it in memory before any other may take
them. After a server is lost, every run that it had in memory stands still for this long."""


DEADLOCK_AFTER = 9
"""Seconds after which a workflow task counts as hanging, just below the 10 s that Temporal gives it. The SDK's own 2 s
end tasks that are only slow, such as the first one of a job of 10,000 steps on a busy machine; and what it interrupts
it may be unable to evict, so that the workflow stands still until the server is restarted (seen with temporalio 1.35).
"""


def create_worker(client: Client, secrets: SecretReferences) -> Worker:
    """A worker to be run inside the server's event loop. ``secrets`` completes those of runs that schedules start.

    Workflow code runs outside Temporal's sandbox: the sandbox re-imports what is not passed through for every workflow,
    which costs memory and time at each start. Determinism is held instead by the allowed imports of ``engine`` and by
    replaying recorded histories (see docs/adr).
    """
    build_structs()
    worker = Worker(
        client,
        task_queue=ORCHESTRATOR_QUEUE,
        workflows=WORKFLOWS,
        activities=[
            *presence_activities(client),
            *group_activities(client),
            *lock_activities(client),
            *schedule_activities(client, secrets),
            *inquiry_activities(client),
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=CACHED_WORKFLOWS,
        max_concurrent_workflow_tasks=20,
        max_concurrent_activities=ACTIVITIES_AT_ONCE,
        sticky_queue_schedule_to_start_timeout=STICKY_PATIENCE,
    )
    # The SDK has no setting for it but `debug_mode`, which would run workflows in the API's own event loop.
    worker._workflow_worker._deadlock_timeout_seconds = DEADLOCK_AFTER  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]
    return worker
