"""What the interpreter's workflows say to each other and to the run service. Only the server reads these."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import (
    AgentRef,
    ApprovalState,
    AttemptState,
    EnvironmentState,
    ErrorInfo,
    Interval,
    JobState,
    RunInfo,
    State,
    StepState,
)

from ..concurrency._wire import LockRequest
from ._policy import RetryPolicy
from ._progress import Progress

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


class Workflows(EngineStruct, frozen=True, kw_only=True):
    """The other workflows that a run may call or start: their plans by key, and the key of its own, from which paths
    are seen. ``depth`` = how many runs above it started each other by ``workflow/run``.
    """

    key: str = ""
    plans: dict[str, msgspec.Raw] = {}
    depth: int = 0


class CallFrame(EngineStruct, frozen=True, kw_only=True):
    """What makes a run a part of another one: the job instance that calls it, what it sees of its caller, and how that
    one stands at the start. ``within`` are the ids of all workflows that wait for it.
    """

    instance: str
    contexts: dict[str, Any]
    within: list[str]
    paused: str | None = None
    events: list[Event] = []


class RunInput(EngineStruct, frozen=True, kw_only=True):
    """Input of ``WaterflowRun``. ``plan`` stays raw until the workflow reads it, so that a plan from a newer version
    ends the run with a reason instead of a workflow task that fails for ever. ``retry_safe`` are the nodes whose
    manifests say that they may be run again unasked, ``target_all`` the groups that mean every member unless a job says
    otherwise. ``concurrency`` is what the run was got in line for at its submit; a run that finds none there although
    its file asks for a group gets in line by itself.
    ``source`` is the workflow file, compressed, and ``filename`` its name: nothing runs by them.
    A retry names the run it repeats (``link``), the results it keeps and where instances go on, by instance.
    ``history_events``: the length of a history above which a workflow goes on in a new one; 0 = never.
    ``call`` is set where it is a reusable workflow that a job calls; its ``id`` is that of the run it is a part of.
    ``run_at`` is when the run starts, None = at once.
    ``event`` is what a schedule or a webhook says of itself, empty for a run that was submitted.
    ``parent`` is the run that started it by ``workflow/run``, ``awaited`` the ids of those workflows of it that wait.
    ``notes``: how often its jobs may tell that they wait; 0 = as often as any run's.
    ``lacking``: in a called workflow, the ids of agents that are not to get a job, by job: they lack its secrets.
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
    history_events: int = 0
    workflows: Workflows = Workflows()
    call: CallFrame | None = None
    parent: str | None = None
    awaited: list[str] = []
    event: dict[str, Any] = {}
    run_at: datetime | None = None
    notes: int = 0
    lacking: dict[str, list[str]] = {}


class ResumePoint(EngineStruct, frozen=True, kw_only=True):
    """Where a job instance that did not succeed can go on: the steps before its first one that did not succeed, and
    what they left behind. ``contexts`` is what expressions see as ``steps``. ``blocks`` are what was decided in blocks
    that may have to be undone, by path; jobs from before there was this do not undo what is in blocks that they keep.
    """

    steps: list[StepState] = []
    contexts: dict[str, Any] = {}
    env: dict[str, str] = {}
    vars: dict[str, Any] = {}
    paths: list[str] = []
    agent: AgentRef | None = None
    blocks: dict[str, Progress] = {}


class JobInput(EngineStruct, frozen=True, kw_only=True):
    """Input of ``WaterflowJob``: one job instance. ``agent`` is given where the run has chosen the host already.

    ``host`` is the one that the instance is for where that was away, so that it has to be waited for.

    ``contexts`` hold what expressions of this instance see beside its own steps: vars, inputs, needs, matrix, item, …
    ``paused`` is the reason why the run is paused, None when it is not; ``events`` came before the job started.
    ``memory`` is what a job knows that goes on in a new run of its workflow.
    ``calls`` is the workflow that the job runs in place of steps; ``workflows`` are those that its steps start.
    ``within`` are the ids of all workflows that it is a part of, where these are not just its run.
    ``notes``: how often it may tell its run that it waits or goes on; 0 = any number.
    ``lacking`` are the ids of agents that are not to get it: they lack secrets that others have.
    """

    run: RunInfo
    job: JobPlan
    instance: str
    contexts: dict[str, Any]
    name: str = ""
    env: dict[str, str] = {}
    secrets: dict[str, str] = {}
    agent: AgentRef | None = None
    host: AgentRef | None = None
    retry_safe: list[str] = []
    target_all: list[str] = []
    paused: str | None = None
    events: list[Event] = []
    resume: ResumePoint | None = None
    history_events: int = 0
    memory: JobMemory | None = None
    calls: RunInput | None = None
    workflows: Workflows = Workflows()
    within: list[str] = []
    notes: int = 0
    lacking: list[str] = []


class StepMemory(EngineStruct, frozen=True, kw_only=True):
    """A step or block as its record knows it; ``step`` is without what is in it, which is in ``branches``."""

    step: StepState
    branches: list[list[StepMemory]] = []
    progress: Progress | None = None
    broke: bool = False
    order: int = 0
    kept: bool = False


class StopMemory(EngineStruct, frozen=True, kw_only=True):
    """Why the job is to end early; ``within`` is what was asked while rollback, ``on-failure`` or ``finally`` ran."""

    state: State | None = None
    within: State | None = None
    reason: str = ""
    force: bool = False


class Conclusion(EngineStruct, frozen=True, kw_only=True):
    """What the job's steps came to, before rollback and ``finally``; ``stopped`` = they were ended early."""

    state: State
    error: ErrorInfo | None = None
    stopped: bool = False


class JobMemory(EngineStruct, frozen=True, kw_only=True):
    """All that a job knows beside its input, when its workflow goes on in a new run.

    ``started`` is None while it looks for an agent, until ``patience``; ``timeout`` is the job's, in seconds.
    ``lists``: the job's steps, then one list for each ending that has begun. ``attempts``: those of earlier turns, by
    the path of a step that has no record now. ``retry``, ``turns``, ``due``: the job's own policy, how often its steps
    have run, and when they run again, in seconds since 1970. ``group`` is the concurrency group whose turn it has.
    ``told``: how often it has told its run that it waits or goes on.
    """

    queued: datetime
    started: datetime | None = None
    patience: datetime | None = None
    timeout: float | None = None
    reason: str = ""
    waits: list[Interval] = []
    pauses: list[Interval] = []
    environment: EnvironmentState | None = None
    approval: ApprovalState | None = None
    group: str = ""
    agent: AgentRef | None = None
    env: dict[str, str] = {}
    vars: dict[str, Any] = {}
    paths: list[str] = []
    masks: list[str] = []
    lists: list[list[StepMemory]] = []
    attempts: dict[str, list[AttemptState]] = {}
    completions: int = 0
    told: int = 0
    halted: str = ""
    answers: dict[str, Answer] = {}
    stop: StopMemory = StopMemory()
    retry: RetryPolicy | None = None
    turns: int = 0
    due: float | None = None
    conclusion: Conclusion | None = None


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

    @property
    def word(self) -> str:
        """What it does to what is asked."""
        return "approved" if self.approved else "rejected"

    def same(self, other: Answer) -> bool:
        """Whether the other one says the same, from the same person; a second comment adds nothing."""
        return (self.approved, self.by, self.inputs) == (other.approved, other.by, other.inputs)


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
