"""What the interpreter's workflows say to each other and to the run service. Only the server reads these."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import AgentRef, JobState, RunInfo, State, StepState

from ..concurrency._wire import LockRequest

RUN_WORKFLOW = "WaterflowRun"
JOB_WORKFLOW = "WaterflowJob"
STATE_QUERY = "state"
RESUME_QUERY = "resume"
CANCEL_SIGNAL = "cancel"
PAUSE_UPDATE = "pause"
PAUSE_SIGNAL = "gate"
ANSWER_UPDATE = "answer"
EVENT_SIGNAL = "event"
NOTE_SIGNAL = "note"


class EngineStruct(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of the interpreter's own structs. Unknown fields are ignored: histories outlive versions."""


class RunInput(EngineStruct, frozen=True, kw_only=True):
    """Input of ``WaterflowRun``. ``plan`` stays raw until the workflow reads it, so that a plan from a newer version
    ends the run with a reason instead of a workflow task that fails for ever. ``retry_safe`` are the nodes whose
    manifests say that they may be run again unasked; ``target_all`` the groups that mean every member. ``concurrency`` is what the run was got in line for at
    its submit; a run that finds none there although its file asks for a group gets in line by itself.
    ``source`` is the workflow file, compressed, and ``filename`` its name: nothing runs by them.
    A retry names the run it repeats (``link``), the results it keeps and where instances go on, by instance.
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
    target_all: list[str] = []
    concurrency: LockRequest | None = None
    link: str | None = None
    source: bytes = b""
    filename: str = ""
    kept: dict[str, JobState] = {}
    resume: dict[str, ResumePoint] = {}


class ResumePoint(EngineStruct, frozen=True, kw_only=True):
    """Where a job instance that did not succeed can go on: the steps before its first one that did not succeed, and
    what they left behind. ``contexts`` is what expressions see as ``steps``.
    """

    steps: list[StepState] = []
    contexts: dict[str, Any] = {}
    env: dict[str, str] = {}
    vars: dict[str, Any] = {}
    paths: list[str] = []
    agent: AgentRef | None = None


class JobInput(EngineStruct, frozen=True, kw_only=True):
    """Input of ``WaterflowJob``: one job instance. ``agent`` is given where the run has chosen the host already.

    ``contexts`` hold what expressions of this instance see beside its own steps: vars, inputs, needs, matrix, item, …
    ``paused`` is the reason why the run is paused, None when it is not; ``events`` came before the job started.
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
    target_all: list[str] = []
    paused: str | None = None
    events: list[Event] = []
    resume: ResumePoint | None = None


class JobResult(EngineStruct, frozen=True, kw_only=True):
    """What a job instance tells its run: its state without the steps (an index, so that large runs stay small)."""

    state: JobState


class PauseOrder(EngineStruct, frozen=True, kw_only=True):
    """Update of run and signal to job: ``paused`` false means go on."""

    paused: bool
    reason: str = ""


class Answer(EngineStruct, frozen=True, kw_only=True):
    """Update of a job: somebody answers the approval that waits at ``path``."""

    path: str
    approved: bool
    at: datetime
    by: str = ""
    comment: str = ""
    inputs: dict[str, Any] = {}


class Event(EngineStruct, frozen=True, kw_only=True):
    """Signal to run and job: something happened outside. The first ``wait`` for its name takes it."""

    name: str
    payload: Any = None


class JobNote(EngineStruct, frozen=True, kw_only=True):
    """Signal from a job to its run: it waits for somebody or something outside, or goes on."""

    job: str
    instance: str
    state: State
    reason: str = ""


class CancelOrder(EngineStruct, frozen=True, kw_only=True):
    """Signal to run and job. ``force`` ends all at once, without ``finally``."""

    reason: str = ""
    force: bool = False
