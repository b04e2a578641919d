"""The keys of jobs and their policies."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._schema._github import CONTAINER, PERMISSIONS, SERVICES, SNAPSHOT
from waterflow_dsl._schema._places import (
    ENVIRONMENT_URL,
    JOB,
    JOB_DEFAULTS,
    JOB_ENV,
    JOB_IF,
    OUTPUTS,
    RUN,
    STEP,
    STRATEGY,
)
from waterflow_dsl._schema._step import ENV, RESOURCES, RUN_AS
from waterflow_dsl._schema._types import (
    Condition,
    Duration,
    Field,
    Flag,
    Json,
    ListOf,
    MapOf,
    Number,
    ObjectType,
    OneOf,
    OnGithub,
    Place,
    Ref,
    Steps,
    Text,
)

JOB_ID = "[A-Za-z_][A-Za-z0-9_-]*"
_COUNT_OR_PERCENT = Text(pattern=r"\d{1,7}|(?:100|\d{1,2})(?:\.\d+)?%", what="a number or a percentage")
_NAMES = ListOf(items=Text(), single=True)

_FILLED = Text(filled=True)
RUNS_ON = OneOf(mapping=Ref(name="runs-on"), sequence=ListOf(items=_FILLED, minimum=1), scalar=_FILLED)

RUNS_ON_TYPE = ObjectType(
    name="runs-on",
    title="`runs-on`",
    model=model.RunsOn,
    exclusive=(("agent", "group"), ("agent", "tags")),
    fields=(
        Field(
            name="group",
            type=ListOf(items=_FILLED, single=True, minimum=1),
            help="A group, or several.",
            place=JOB,
            github=OnGithub(type=_FILLED),
        ),
        Field(
            name="tags",
            type=ListOf(items=_FILLED, single=True, minimum=1),
            help="Tags that an agent must all have.",
            aliases=("labels",),
            place=JOB,
            github=OnGithub(alias=True),
        ),
        Field(
            name="target",
            type=Text(options=("any", "all")),
            help="One healthy member, or every member.",
            place=JOB,
            origin="waterflow",
        ),
        Field(name="agent", type=Text(), help="This very agent.", place=JOB, origin="waterflow"),
    ),
)

STRATEGY_TYPE = ObjectType(
    name="strategy",
    title="`strategy`",
    model=model.Strategy,
    fields=(
        Field(
            name="matrix",
            type=MapOf(values=Json(), template=True),
            help="Names and their values; every combination is a job instance.",
            place=STRATEGY,
        ),
        Field(name="fail-fast", type=Flag(), help="Whether a failure cancels the others; true.", place=STRATEGY),
        Field(
            name="max-parallel",
            type=Number(minimum=1),
            help="How many run at once.",
            place=STRATEGY,
            github=OnGithub(type=Number(integer=False)),
        ),
        Field(
            name="max-instances",
            type=Number(minimum=1, maximum=10_000),
            help="Instances that the matrix may make; 256.",
            origin="waterflow",
        ),
    ),
)

ROLLOUT_TYPE = ObjectType(
    name="rollout",
    title="`rollout`",
    model=model.Rollout,
    exclusive=(("batches", "batch"),),
    fields=(
        Field(
            name="batches",
            type=ListOf(items=_COUNT_OR_PERCENT, single=True, minimum=1),
            help="Sizes of the batches.",
        ),
        Field(name="batch", type=_COUNT_OR_PERCENT, help="Size of every batch."),
        Field(name="max-failures", type=_COUNT_OR_PERCENT, help="Failures of the whole group that are borne; 0."),
        Field(
            name="on-threshold",
            type=Text(options=("fail", "pause")),
            help="What happens past `max-failures`.",
        ),
        Field(
            name="pause-between",
            type=Text(),
            help="A duration, or `approval`.",
        ),
        Field(name="check", type=Steps(single=True), help="Steps that judge each batch."),
        Field(name="order", type=_NAMES, help="Ranks: `tag:canary`, `name`."),
    ),
)


def _concurrency(name: str, place: Place) -> ObjectType:
    return ObjectType(
        name=name,
        title="`concurrency`",
        model=model.Concurrency,
        exclusive=(("on-conflict", "cancel-in-progress"),),
        fields=(
            Field(
                name="group",
                type=_FILLED,
                help="Runs with the same group exclude each other.",
                place=place,
                required=True,
            ),
            Field(
                name="on-conflict",
                type=Text(options=("queue", "cancel", "reject")),
                help="What a second run does.",
                origin="waterflow",
            ),
            Field(name="cancel-in-progress", type=Flag(), help="GitHub's `on-conflict: cancel`.", place=place),
            Field(
                name="queue",
                type=Text(options=("single", "max")),
                help="How many may wait on GitHub.",
                origin="github",
            ),
        ),
    )


def _run_defaults(name: str, github: OnGithub | None) -> ObjectType:
    return ObjectType(
        name=name,
        title="`defaults.run`",
        model=model.RunDefaults,
        fields=(
            Field(name="shell", type=_FILLED, help="The shell.", place=JOB_DEFAULTS, github=github),
            Field(name="working-directory", type=_FILLED, help="Where it starts.", place=JOB_DEFAULTS, github=github),
        ),
    )


def _defaults(name: str) -> ObjectType:
    run = name.replace("defaults", "run-defaults")
    return ObjectType(
        name=name,
        title="`defaults`",
        model=model.JobDefaults,
        exclusive=(("timeout", "timeout-minutes"),),
        fields=(
            Field(name="run", type=Ref(name=run), help="Defaults of `run`."),
            Field(name="timeout", type=Duration(), help="Longest time of a step.", place=STEP, origin="waterflow"),
            Field(
                name="timeout-minutes",
                type=Duration(unit=60.0),
                help="The same in minutes.",
                place=STEP,
                origin="waterflow",
            ),
            Field(name="retry", type=Ref(name="retry"), help="Retry policy of steps.", origin="waterflow"),
            RUN_AS,
            RESOURCES,
            Field(name="runs-on", type=RUNS_ON, help="Where jobs run.", place=JOB, origin="waterflow"),
        ),
    )


POLICY_TYPES = (
    ObjectType(
        name="offline",
        title="`offline`",
        model=model.Offline,
        fields=(Field(name="wait", type=Duration(), help="How long to wait for it.", place=JOB, required=True),),
    ),
    ObjectType(
        name="agent-loss",
        title="`agent-loss`",
        model=model.AgentLoss,
        fields=(
            Field(
                name="policy",
                type=Text(options=("reassign", "wait", "fail")),
                help="What happens to its steps.",
                required=True,
            ),
            Field(name="for", type=Duration(), help="How long it must be lost first; 60s.", place=JOB),
        ),
    ),
    ObjectType(
        name="approval",
        title="`approval`",
        model=model.Approval,
        fields=(
            Field(name="approvers", type=_NAMES, help="Users and roles that may approve."),
            Field(name="timeout", type=Duration(), help="How long to wait.", place=JOB),
        ),
    ),
    ObjectType(
        name="environment",
        title="`environment`",
        model=model.Environment,
        fields=(
            Field(name="name", type=Text(), help="Its name.", place=JOB, required=True),
            Field(name="url", type=Text(), help="Its address, once deployed.", place=ENVIRONMENT_URL),
            Field(
                name="approval",
                type=OneOf(mapping=Ref(name="approval"), scalar=Flag()),
                help="Who must agree first.",
                origin="waterflow",
            ),
            Field(name="deployment", type=Flag(), help="GitHub's deployment record.", place=JOB, origin="github"),
        ),
    ),
    _concurrency("concurrency", JOB),
    _concurrency("file-concurrency", RUN),
    _run_defaults("run-defaults", None),
    _run_defaults("file-run-defaults", OnGithub(static=True)),
    *(_defaults(name) for name in ("defaults", "file-defaults")),
)

CONCURRENCY = OneOf(mapping=Ref(name="concurrency"), scalar=_FILLED)
FILE_CONCURRENCY = OneOf(mapping=Ref(name="file-concurrency"), scalar=Text())

JOB_TYPE = ObjectType(
    name="job",
    title="A job",
    model=model.Job,
    scope=True,
    exclusive=(
        ("steps", "uses"),
        ("runs-on", "uses"),
        ("run-as", "uses"),
        ("resources", "uses"),
        ("timeout", "timeout-minutes"),
        ("strategy.matrix", "for-each"),
    ),
    fields=(
        Field(name="name", type=Text(), help="What is shown.", place=JOB),
        Field(name="runs-on", type=RUNS_ON, help="A group, tags, or an agent.", place=JOB),
        Field(name="needs", type=ListOf(items=_FILLED, single=True), help="Jobs that must be done first."),
        Field(name="if", type=Condition(), help="Runs only when this holds.", place=JOB_IF),
        Field(
            name="strategy",
            type=Ref(name="strategy"),
            help="Matrix of the job.",
            github=OnGithub(type=OneOf(mapping=Ref(name="strategy"), template=True), place=STRATEGY),
        ),
        Field(
            name="for-each",
            type=Json(),
            help="One instance for each element, as `item` and `index`.",
            place=STRATEGY,
            origin="waterflow",
        ),
        Field(name="rollout", type=Ref(name="rollout"), help="Batches over a group.", origin="waterflow"),
        Field(
            name="offline",
            type=OneOf(mapping=Ref(name="offline"), scalar=Text(options=("fail", "skip"))),
            help="What an offline member means; fail.",
            origin="waterflow",
        ),
        Field(
            name="agent-loss",
            type=OneOf(mapping=Ref(name="agent-loss"), scalar=Text(options=("reassign", "wait", "fail"))),
            help="What a lost agent means; by node.",
            origin="waterflow",
        ),
        Field(name="env", type=ENV, help="Environment of every step.", place=JOB_ENV),
        RUN_AS,
        RESOURCES,
        Field(name="defaults", type=Ref(name="defaults"), help="Defaults of the steps."),
        Field(name="timeout", type=Duration(), help="Longest time of the job.", place=JOB, origin="waterflow"),
        Field(
            name="timeout-minutes",
            type=Duration(unit=60.0),
            help="The same in minutes.",
            place=JOB,
        ),
        Field(name="retry", type=Ref(name="retry"), help="Runs the whole job instance again.", origin="waterflow"),
        Field(name="continue-on-error", type=Flag(), help="Whether the run goes on after a failure.", place=JOB),
        Field(name="concurrency", type=CONCURRENCY, help="Jobs that exclude each other.", place=JOB),
        Field(
            name="environment",
            type=OneOf(mapping=Ref(name="environment"), scalar=Text()),
            help="What the job deploys to.",
            place=JOB,
        ),
        Field(name="outputs", type=MapOf(values=Json(scalar=True)), help="Values for other jobs.", place=OUTPUTS),
        Field(name="steps", type=Steps(), help="What the job does, in order."),
        Field(name="on-failure", type=Steps(single=True), help="Runs when the job failed.", origin="waterflow"),
        Field(name="finally", type=Steps(single=True), help="Always runs at the end.", origin="waterflow"),
        Field(name="uses", type=_FILLED, help="A reusable workflow in place of steps."),
        Field(
            name="with",
            type=MapOf(values=Json()),
            help="Inputs of the reusable workflow.",
            place=JOB,
            github=OnGithub(type=MapOf(values=Json(scalar=True))),
        ),
        Field(
            name="secrets",
            type=OneOf(mapping=MapOf(values=Json(scalar=True)), scalar=Text(options=("inherit",))),
            help="Secrets of the reusable workflow, or `inherit`.",
            place=JOB_ENV,
        ),
        Field(name="permissions", type=PERMISSIONS, help="Rights of GitHub's token.", origin="github"),
        Field(
            name="container",
            type=CONTAINER,
            help="The container that GitHub runs the job in.",
            place=JOB,
            origin="github",
        ),
        Field(name="services", type=SERVICES, help="Service containers of GitHub's.", place=JOB, origin="github"),
        Field(name="snapshot", type=SNAPSHOT, help="Image that GitHub makes of the runner.", origin="github"),
        Field(
            name="cancel-timeout-minutes",
            type=Number(integer=False),
            help="How long GitHub waits for a cancelled job.",
            place=JOB,
            origin="github",
        ),
    ),
)

JOB_TYPES = (JOB_TYPE, RUNS_ON_TYPE, STRATEGY_TYPE, ROLLOUT_TYPE, *POLICY_TYPES)
