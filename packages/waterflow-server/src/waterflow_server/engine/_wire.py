"""What the interpreter's workflows say to each other and to the run service. Only the server reads these."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import AgentRef, JobState, RunInfo

RUN_WORKFLOW = "WaterflowRun"
JOB_WORKFLOW = "WaterflowJob"
STATE_QUERY = "state"
CANCEL_SIGNAL = "cancel"


class EngineStruct(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of the interpreter's own structs. Unknown fields are ignored: histories outlive versions."""


class RunInput(EngineStruct, frozen=True, kw_only=True):
    """Input of ``WaterflowRun``. ``plan`` stays raw until the workflow reads it, so that a plan from a newer version
    ends the run with a reason instead of a workflow task that fails for ever. ``retry_safe`` are the nodes whose
    manifests say that they may be run again unasked.
    """

    id: str
    plan: msgspec.Raw
    submitted: datetime
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    labels: list[str] = []
    started_by: str = ""
    retry_safe: list[str] = []


class JobInput(EngineStruct, frozen=True, kw_only=True):
    """Input of ``WaterflowJob``: one job instance. ``agent`` is given where the run has chosen the host already.

    ``contexts`` hold what expressions of this instance see beside its own steps: vars, inputs, needs, matrix, item, …
    """

    run: RunInfo
    job: JobPlan
    instance: str
    contexts: dict[str, Any]
    name: str = ""
    env: dict[str, str] = {}
    secrets: dict[str, str] = {}
    agent: AgentRef | None = None
    retry_safe: list[str] = []


class JobResult(EngineStruct, frozen=True, kw_only=True):
    """What a job instance tells its run: its state without the steps (an index, so that large runs stay small)."""

    state: JobState


class CancelOrder(EngineStruct, frozen=True, kw_only=True):
    """Signal to run and job. ``force`` ends all at once, without ``finally``."""

    reason: str = ""
    force: bool = False
