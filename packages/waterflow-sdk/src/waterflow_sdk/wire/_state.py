"""The state tree: run → job instances → steps (blocks keep their children) → attempts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from ._approval import ApprovalState, EnvironmentState
from ._base import Wire
from ._log import LogRef


class State(StrEnum):
    """State of a run, a job instance, a step or an attempt (specification: execution, "States")."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed-out"

    @property
    def ended(self) -> bool:
        """Whether nothing more can happen in this state."""
        return self in _ENDED

    @property
    def result(self) -> str:
        """The word that expressions see (GitHub's): ``success failure cancelled skipped``, ``""`` before the end."""
        return _RESULTS.get(self, "")


_RESULTS = {
    State.SUCCESS: "success",
    State.FAILED: "failure",
    State.TIMED_OUT: "failure",
    State.CANCELLED: "cancelled",
    State.SKIPPED: "skipped",
}
_ENDED = frozenset(_RESULTS)


class ErrorInfo(Wire, frozen=True, kw_only=True):
    """Why something failed: a stable code, a sentence, whether another attempt may help, and facts.

    ``details`` may hold ``exit_code``, ``tail`` (last lines of output), ``inputs``, ``host``, ``step``; all are masked.
    """

    code: str
    message: str
    retryable: bool = False
    details: dict[str, Any] = {}


class AgentRef(Wire, frozen=True, kw_only=True):
    """An agent, named: its stable id and what people call it."""

    id: str
    name: str


class Interval(Wire, frozen=True, kw_only=True):
    """A time in which a step waited or a run was paused, and why. ``until`` is None while it lasts."""

    since: datetime
    until: datetime | None = None
    reason: str = ""


class AttemptState(Wire, frozen=True, kw_only=True):
    """One attempt of one step. ``lost`` counts how often it was sent again to the same agent after an outage."""

    number: int
    state: State
    agent: AgentRef | None = None
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    error: ErrorInfo | None = None
    log: LogRef | None = None
    lost: int = 0
    reason: str = ""


class StepState(Wire, frozen=True, kw_only=True):
    """A step or a block. ``state`` is GitHub's *outcome*; ``conclusion`` is the state after continue-on-error.

    ``waits`` are the times in which it waited for somebody or something outside; ``approval`` is what it asks.
    """

    path: str
    name: str
    state: State
    id: str | None = None
    node: str = ""
    conclusion: State | None = None
    reason: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    outputs: dict[str, Any] = {}
    error: ErrorInfo | None = None
    attempts: list[AttemptState] = []
    steps: list[StepState] = []
    waits: list[Interval] = []
    approval: ApprovalState | None = None


class JobState(Wire, frozen=True, kw_only=True):
    """A job instance: job × matrix or item × target host. ``steps`` is empty in a summary. ``kept_from`` names the
    run whose result this is, where a retry kept it. It is ``queued`` until an agent has it (``started``); ``waits`` are
    the times in which it looked for one in vain, the last 20 of them.

    ``concurrency`` is the group that it waits for, holds or held, empty without one. ``approval`` is what its
    ``environment`` asks before it begins. ``calls`` names the reusable workflow that it runs in place of steps: that
    one's jobs stand behind it in the tree, as ``<instance>/<job>``.

    ``batch`` is the number of its batch in a rollout, from 1; ``gate`` says that it is no host's work but what stands
    between two batches: ``check`` (the health gate), ``approval`` (``pause-between: approval``) or ``threshold``
    (``on-threshold: pause``).
    """

    id: str
    instance: str
    name: str
    state: State
    reason: str = ""
    agent: AgentRef | None = None
    matrix: dict[str, Any] | None = None
    item: Any = None
    index: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    outputs: dict[str, Any] = {}
    error: ErrorInfo | None = None
    kept_from: str | None = None
    steps: list[StepState] = []
    concurrency: str = ""
    queued: datetime | None = None
    waits: list[Interval] = []
    pauses: list[Interval] = []
    approval: ApprovalState | None = None
    environment: EnvironmentState | None = None
    calls: str = ""
    batch: int | None = None
    gate: str = ""


class BatchState(Wire, frozen=True, kw_only=True):
    """One batch of a rollout, from 1; ``hosts`` of the group are in it, ``failed`` of them have failed."""

    number: int
    state: State
    hosts: int
    failed: int = 0
    started: datetime | None = None
    ended: datetime | None = None


class RolloutState(Wire, frozen=True, kw_only=True):
    """How the rollout of a job stands: ``failed`` of ``hosts``, of which ``max_failures`` are borne.

    It is ``waiting`` while people decide or a pause between two batches lasts; ``reason`` says why.
    """

    job: str
    state: State
    hosts: int
    failed: int
    max_failures: int
    reason: str = ""
    batches: list[BatchState] = []


class RunState(Wire, frozen=True, kw_only=True):
    """A run, as ``GET /v1/workflows/{id}`` shows it. ``link`` names the run that this one continues or retries,
    ``parent`` the run that started this one by ``workflow/run``.

    ``concurrency`` is the group that it waits for, holds or held, empty without one. ``shards`` are the parts that keep
    the states of a large job's instances while they run; whoever asks the server gets a tree with these put in.
    """

    id: str
    name: str
    state: State
    title: str = ""
    reason: str = ""
    started_by: str = ""
    labels: list[str] = []
    submitted: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    error: ErrorInfo | None = None
    outputs: dict[str, Any] = {}
    plan_hash: str = ""
    link: str | None = None
    retries: list[str] = []
    jobs: list[JobState] = []
    concurrency: str = ""
    pauses: list[Interval] = []
    rollouts: list[RolloutState] = []
    shards: list[str] = []
    parent: str | None = None


class RunSummary(Wire, frozen=True, kw_only=True):
    """A run in a list: what visibility alone knows."""

    id: str
    name: str
    state: State
    started_by: str = ""
    labels: list[str] = []
    submitted: datetime | None = None
    ended: datetime | None = None
