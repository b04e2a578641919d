"""The plan: what runs. Immutable, canonical JSON, hashable; the only thing the interpreter sees of a workflow file.

Conventions, fixed with plan version 1:

- A ``Template`` is JSON whose strings may hold ``${{ … }}``: resolved when the thing it belongs to starts. A string
  that is one whole ``${{ … }}`` keeps the type of its value.
- A ``Condition`` is a bare expression, without ``${{ }}``, in which the implicit ``success() && (…)`` is already
  written out.
- A ``Duration`` is a number of seconds, or a template that gives a duration.
- A map of templates (``env``, ``inputs``) that was written as one whole expression has the single key ``${{}}``: its
  template gives the whole map.
- ``max-parallel`` 0 = no limit (a job's ``for-each``).
- ``path`` is the place of a step in its job: ``steps[2]``, ``steps[2].then[0]``, ``on-failure[0]``, ``finally[1]``.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

PLAN_VERSION = 1
"""A server refuses a plan of a newer version than its own."""

Template: TypeAlias = Any
Condition: TypeAlias = str
Duration: TypeAlias = float | str
Flag: TypeAlias = bool | str
Count: TypeAlias = int | str


class PlanStruct(msgspec.Struct, frozen=True, omit_defaults=True, rename="kebab", forbid_unknown_fields=True):
    """Base of all plan structs: frozen, kebab-case in JSON, defaults omitted, unknown fields refused."""


class InputType(StrEnum):
    """Type of a declared input."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    JSON = "json"
    GROUP = "group"
    AGENT = "agent"


class InputPlan(PlanStruct, frozen=True, kw_only=True):
    """A declared input of the workflow."""

    type: InputType = InputType.STRING
    required: bool = False
    default: Any = None
    description: str = ""
    options: tuple[Any, ...] = ()


class SecretPlan(PlanStruct, frozen=True, kw_only=True):
    """A declared secret: its name is the key; never a value.

    ``source`` is where it is read when nobody gives it (``env:NAME``, ``file:/path``, ``vault:mount/path#field``), and
    ``reader`` by whom: ``agent`` or ``server``.
    """

    required: bool = False
    description: str = ""
    source: str | None = None
    reader: str = "agent"


class RetryPlan(PlanStruct, frozen=True, kw_only=True):
    """Retry policy of a step or a job. Intervals are seconds.

    Empty ``on_exit_codes`` = any failure is worth another attempt.
    """

    max_attempts: Count = 1
    initial_interval: Duration = 1.0
    maximum_interval: Duration = 60.0
    backoff_coefficient: float | str = 2.0
    on_exit_codes: tuple[int, ...] = ()
    non_retryable: tuple[str, ...] = ()


class UsesKind(StrEnum):
    """What a step's ``uses`` means."""

    NODE = "node"
    CONTROL = "control"
    ACTION = "action"
    LOCAL = "local"
    DOCKER = "docker"
    LIBRARY = "library"
    EXPRESSION = "expression"


class UsesPlan(PlanStruct, frozen=True, kw_only=True):
    """What runs. ``name`` is the node or ``owner/repo/path``, the image, the directory or the expression's template."""

    kind: UsesKind
    name: str
    ref: str | None = None


class ForEachPlan(PlanStruct, frozen=True, kw_only=True):
    """Repeat for each element of a list; the element is ``item`` (and ``alias``), its number ``index``."""

    items: Template
    alias: str = "item"
    max_parallel: Count = 1
    fail_fast: Flag = True


class StepPlan(PlanStruct, frozen=True, kw_only=True, tag_field="kind", tag="step"):
    """A step: one node, one attempt after the other. Empty ``run_as`` = the agent's own user.

    ``memory`` in bytes, or a template that gives an amount.
    """

    path: str
    uses: UsesPlan
    id: str | None = None
    name: Template = ""
    condition: Condition = "success()"
    inputs: dict[str, Template] = {}
    env: dict[str, Template] = {}
    run_as: Template = ""
    memory: int | str | None = None
    timeout: Duration | None = None
    heartbeat_timeout: Duration | None = None
    retry: RetryPlan | None = None
    continue_on_error: Flag = False
    rollback: tuple[NodePlan, ...] = ()
    for_each: ForEachPlan | None = None
    line: int = 0


class ParallelPlan(PlanStruct, frozen=True, kw_only=True, tag_field="kind", tag="parallel"):
    """Steps at once."""

    path: str
    steps: tuple[NodePlan, ...]
    id: str | None = None
    name: Template = ""
    condition: Condition = "success()"
    max_parallel: Count | None = None
    fail_fast: Flag = True
    line: int = 0


class BranchPlan(PlanStruct, frozen=True, kw_only=True, tag_field="kind", tag="if"):
    """``if`` / ``then`` / ``else``: ``test`` is the bare expression (no implicit status function)."""

    path: str
    test: Condition
    then: tuple[NodePlan, ...]
    otherwise: tuple[NodePlan, ...] = ()
    id: str | None = None
    name: Template = ""
    line: int = 0


class LoopPlan(PlanStruct, frozen=True, kw_only=True, tag_field="kind", tag="for-each"):
    """``for-each`` with a body of steps."""

    path: str
    each: ForEachPlan
    steps: tuple[NodePlan, ...]
    id: str | None = None
    name: Template = ""
    condition: Condition = "success()"
    line: int = 0


class WhilePlan(PlanStruct, frozen=True, kw_only=True, tag_field="kind", tag="while"):
    """``while``: the body repeats as long as ``test`` holds, at most ``max_iterations`` times, ``delay`` in between."""

    path: str
    test: Condition
    steps: tuple[NodePlan, ...]
    max_iterations: Count = 1000
    delay: Duration = 0.0
    id: str | None = None
    name: Template = ""
    condition: Condition = "success()"
    line: int = 0


NodePlan: TypeAlias = StepPlan | ParallelPlan | BranchPlan | LoopPlan | WhilePlan
"""One entry of a list of steps."""


class TargetPlan(PlanStruct, frozen=True, kw_only=True):
    """Where a job runs. ``all`` None = as the group says (``all-servers`` says all).

    ``dynamic``: ``runs-on`` as written, because expressions are in it; once they are resolved,
    :func:`waterflow_dsl.target_of` makes the target of it.
    """

    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    agent: str | None = None
    all: bool | None = None
    dynamic: Template = None


class StrategyPlan(PlanStruct, frozen=True, kw_only=True):
    """Matrix of a job. ``matrix`` maps a name to a list, or is a template; ``include`` and ``exclude`` as GitHub.

    ``max_instances`` None = 256.
    """

    matrix: Template = None
    include: Template = None
    exclude: Template = None
    fail_fast: Flag = True
    max_parallel: Count | None = None
    max_instances: int | None = None


class RolloutPlan(PlanStruct, frozen=True, kw_only=True):
    """How a ``target: all`` job goes over its group. Batches and failures are counts or percents (``"30%"``)."""

    batches: tuple[int | str, ...] = ()
    max_failures: int | str = 0
    on_threshold: str = "fail"
    pause_between: Duration | None = None
    approval_between: bool = False
    check: tuple[NodePlan, ...] = ()
    order: tuple[str, ...] = ()


class OfflinePlan(PlanStruct, frozen=True, kw_only=True):
    """What an offline member means: ``fail``, ``skip`` or ``wait`` for some seconds."""

    policy: str = "fail"
    wait: Duration = 0.0


class AgentLossPlan(PlanStruct, frozen=True, kw_only=True):
    """What happens when an agent is lost for good after ``wait`` seconds.

    ``policy``: ``reassign``, ``wait`` or ``fail``; None = by node.
    """

    policy: str | None = None
    wait: Duration = 60.0


class ConcurrencyPlan(PlanStruct, frozen=True, kw_only=True):
    """A concurrency group and what happens when it is taken: ``queue``, ``cancel`` or ``reject``."""

    group: Template
    on_conflict: str = "queue"


class EnvironmentPlan(PlanStruct, frozen=True, kw_only=True):
    """The environment a job deploys to, and the approval it needs."""

    name: Template
    url: Template = None
    approvers: tuple[str, ...] = ()
    approval: bool = False
    timeout: Duration | None = None


class CallPlan(PlanStruct, frozen=True, kw_only=True):
    """A reusable workflow in place of steps."""

    workflow: Template
    inputs: dict[str, Template] = {}
    secrets: dict[str, Template] = {}
    inherit_secrets: bool = False


class JobPlan(PlanStruct, frozen=True, kw_only=True):
    """A job. Defaults of file and job are already folded into its steps."""

    id: str
    name: Template = ""
    needs: tuple[str, ...] = ()
    condition: Condition = "success()"
    target: TargetPlan = TargetPlan(groups=("default",))
    strategy: StrategyPlan | None = None
    for_each: ForEachPlan | None = None
    rollout: RolloutPlan | None = None
    offline: OfflinePlan = OfflinePlan()
    agent_loss: AgentLossPlan = AgentLossPlan()
    env: dict[str, Template] = {}
    timeout: Duration | None = None
    retry: RetryPlan | None = None
    continue_on_error: Flag = False
    concurrency: ConcurrencyPlan | None = None
    environment: EnvironmentPlan | None = None
    outputs: dict[str, Template] = {}
    steps: tuple[NodePlan, ...] = ()
    on_failure: tuple[NodePlan, ...] = ()
    finally_: tuple[NodePlan, ...] = msgspec.field(default=(), name="finally")
    call: CallPlan | None = None
    line: int = 0


class SchedulePlan(PlanStruct, frozen=True, kw_only=True):
    """A cron trigger."""

    cron: str
    timezone: str = "UTC"
    overlap: str = "skip"
    catch_up: Duration = 0.0
    jitter: Duration = 0.0


class WebhookPlan(PlanStruct, frozen=True, kw_only=True):
    """A webhook trigger: the name of the secret that signs it, and a condition on the event."""

    secret: str | None = None
    condition: Condition | None = None


class Plan(PlanStruct, frozen=True, kw_only=True):
    """A compiled workflow. Jobs are in file order; what is ready starts by ``needs``."""

    name: str
    jobs: tuple[JobPlan, ...]
    version: int = PLAN_VERSION
    language: str = "1.0"
    source: str = ""
    title: Template = ""
    description: str = ""
    inputs: dict[str, InputPlan] = {}
    vars: dict[str, Any] = {}
    secrets: dict[str, SecretPlan] = {}
    env: dict[str, Template] = {}
    outputs: dict[str, Template] = {}
    schedules: tuple[SchedulePlan, ...] = ()
    webhook: WebhookPlan | None = None
    callable: bool = False
    concurrency: ConcurrencyPlan | None = None
    timeout: Duration | None = None

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, 64 hex digits: equal plans have equal hashes, wherever they were compiled."""
        return hashlib.sha256(encode_plan(self)).hexdigest()

    def job(self, job_id: str) -> JobPlan:
        """The job with that id; raises ``KeyError``."""
        for job in self.jobs:
            if job.id == job_id:
                return job
        raise KeyError(job_id)


class PlanVersionError(ValueError):
    """The plan was compiled by a newer version of the language package."""

    code = "plan-version"


_encoder = msgspec.json.Encoder(order="sorted")


def encode_plan(plan: Plan) -> bytes:
    """Canonical JSON: keys sorted, no white space, defaults omitted."""
    return _encoder.encode(plan)


def decode_plan(data: bytes | str) -> Plan:
    """Read a plan.

    Raises :class:`PlanVersionError` for a newer version, ``msgspec.ValidationError`` for anything else.
    """
    head = msgspec.json.decode(data, type=_Head)
    if head.version > PLAN_VERSION:
        raise PlanVersionError(
            f"plan version {head.version} is newer than {PLAN_VERSION}, the newest this server knows; "
            "update waterflow-server"
        )
    return msgspec.json.decode(data, type=Plan)


class _Head(msgspec.Struct, frozen=True):
    version: int = PLAN_VERSION
