"""Plans: what a run would do, told before it is started. Nothing in them is a promise where it says ``unknown``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ._base import Wire
from ._edit import EditReport
from ._presence import AgentStatus
from ._state import AgentRef

Decision = Literal["true", "false", "unknown"]


class PlanRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/plan``: a workflow file and what its run would get, as for a submit.

    A plan is given for a file whose inputs and secrets are not all there too; what is missing is in its ``problems``.
    ``dry_run`` goes the whole way of a submit, refuses what it refuses, and adds the steps of every job instance.
    ``against``: the id of a run that the plan is compared with, as an edit of it would be.
    """

    yaml: str
    filename: str = "workflow.yaml"
    files: dict[str, str] = {}
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    dry_run: bool = False
    against: str | None = None


class PlannedCondition(Wire, frozen=True, kw_only=True):
    """A condition before the run. ``decision`` is what is certain now; ``why`` says what an unknown one depends on.

    ``expected`` is what it comes to when everything before it succeeds; None where that does not decide it either.
    """

    expression: str
    decision: Decision
    expected: bool | None = None
    why: str = ""


class PlannedHost(Wire, frozen=True, kw_only=True):
    """An agent that a job's target means now. ``reason`` says why one that is not online is not."""

    agent: AgentRef
    status: AgentStatus
    reason: str = ""
    since: datetime | None = None


class PlannedConcurrency(Wire, frozen=True, kw_only=True):
    """A concurrency group; ``known`` is false where ``group`` still holds expressions."""

    group: str
    on_conflict: str = "queue"
    known: bool = True


class PlannedApproval(Wire, frozen=True, kw_only=True):
    """Somebody has to agree here. ``step`` is the path of the step, empty for the environment of the job.

    No ``approvers`` = anybody may answer; ``timeout`` in seconds, or as written.
    """

    job: str
    step: str = ""
    environment: str = ""
    message: str = ""
    approvers: list[str] = []
    timeout: float | str | None = None


class PlannedStep(Wire, frozen=True, kw_only=True):
    """A step of a dry run. What is not known yet is there as it was written, ``${{ … }}``; secrets are ``***``.

    ``note`` says what a block does (``for each of 3 elements``); ``problems`` are inputs that the node will refuse.
    ``run_as`` is the user of its processes, empty for the agent's own; ``memory`` the bytes that each of them may have,
    None where the step does not say or it is not known yet.
    """

    path: str
    name: str
    node: str
    condition: PlannedCondition | None = None
    inputs: dict[str, Any] = {}
    env: dict[str, Any] = {}
    run_as: str = ""
    memory: int | None = None
    note: str = ""
    problems: list[str] = []
    steps: list[PlannedStep] = []


class PlannedInstance(Wire, frozen=True, kw_only=True):
    """A job instance: job × matrix or item × target host. ``agent`` None = one is claimed when it starts.

    ``offline`` says why its host could not take it now. ``steps`` only in a dry run.
    """

    name: str
    agent: AgentRef | None = None
    matrix: dict[str, Any] | None = None
    item: Any = None
    index: int | None = None
    offline: str = ""
    steps: list[PlannedStep] = []


class PlannedJob(Wire, frozen=True, kw_only=True):
    """A job. ``instance_count`` None = not known yet, and ``unknown`` says why; ``instances`` may be cut short.

    ``target`` is the target in words; ``all`` = every host of it, else one of them. ``batches`` are the hosts of a
    rollout, batch by batch. ``steps`` counts the steps of one instance, those in blocks once. ``secrets`` names those
    that it reads. ``calls`` is the reusable workflow that it runs in place of steps.
    """

    id: str
    name: str
    condition: PlannedCondition
    needs: list[str] = []
    line: int = 0
    target: str = ""
    all: bool = False
    hosts: list[PlannedHost] = []
    instances: list[PlannedInstance] = []
    instance_count: int | None = None
    unknown: str = ""
    batches: list[list[str]] = []
    max_parallel: int | None = None
    steps: int = 0
    secrets: list[str] = []
    concurrency: PlannedConcurrency | None = None
    environment: str = ""
    calls: str = ""


class PlannedSecret(Wire, frozen=True, kw_only=True):
    """A secret that the run touches: its name, whether it has to be given, whether it is, and who reads it."""

    name: str
    required: bool = False
    given: bool = False
    jobs: list[str] = []


class PlanView(Wire, frozen=True, kw_only=True):
    """What a run of the file would do now.

    Attributes:
        valid: a submit would be accepted.
        diagnostics: of the file and of placement, as the language renders them; errors among them where not valid.
        problems: inputs, variables and secrets that are missing or wrong.
        critical_path: jobs of the longest path, counted in steps one after the other.
        instances: job instances that are expected to run, and ``steps`` theirs; ``at_least``: there may be more.
        truncated: more instances or steps than are listed.
        differs: the comparison with the run that ``against`` named.
    """

    name: str
    title: str = ""
    plan_hash: str = ""
    dry_run: bool = False
    valid: bool = True
    diagnostics: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    jobs: list[PlannedJob] = []
    secrets: list[PlannedSecret] = []
    concurrency: PlannedConcurrency | None = None
    approvals: list[PlannedApproval] = []
    critical_path: list[str] = []
    instances: int = 0
    steps: int = 0
    at_least: bool = False
    truncated: bool = False
    differs: EditReport | None = None
