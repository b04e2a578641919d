"""The keys of steps and blocks."""

from __future__ import annotations

from waterflow_dsl._schema._places import JOB, STEP, STEP_IF
from waterflow_dsl._schema._types import (
    Condition,
    Duration,
    Field,
    Flag,
    Json,
    ListOf,
    MapOf,
    Memory,
    Number,
    ObjectType,
    OnGithub,
    Ref,
    Steps,
    Text,
)
from waterflow_dsl.model import Branch, Loop, Parallel, Resources, Retry, Step, While

ID = "[A-Za-z_][A-Za-z0-9_-]*"
ENV = MapOf(values=Json(scalar=True), template=True)

STEP_ID = Field(name="id", type=Text(pattern=ID, what="an id"), help="Name under which `steps.<id>` gives its outputs.")
_NAME = Field(
    name="name", type=Text(), help="What is shown; the node or the first line of `run` by default.", place=STEP
)
_IF = Field(
    name="if",
    type=Condition(),
    help="Runs only when this holds; `success() &&` is implied unless a status function is called.",
    place=STEP_IF,
)
_AS = Field(
    name="as",
    type=Text(pattern="[A-Za-z_][A-Za-z0-9_]*", what="a name"),
    help="Another name for `item`.",
    origin="waterflow",
)
_MAX_PARALLEL = Field(
    name="max-parallel", type=Number(minimum=1), help="How many run at once.", place=STEP, origin="waterflow"
)
_FAIL_FAST = Field(
    name="fail-fast", type=Flag(), help="Whether a failure ends the others.", place=STEP, origin="waterflow"
)
_FOR_EACH = Field(
    name="for-each",
    type=Json(),
    help="A list, or an expression that gives one; once for each element, as `item` and `index`.",
    place=STEP,
    origin="waterflow",
)

RETRY = ObjectType(
    name="retry",
    title="`retry`",
    model=Retry,
    fields=(
        Field(name="max-attempts", type=Number(minimum=1), help="Attempts in all, the first one included.", place=STEP),
        Field(name="initial-interval", type=Duration(), help="Wait before the second attempt; 1s.", place=STEP),
        Field(name="maximum-interval", type=Duration(), help="Longest wait between attempts; 60s.", place=STEP),
        Field(
            name="backoff-coefficient",
            type=Number(minimum=1, integer=False),
            help="Each wait is this many times the one before; 2.",
            place=STEP,
        ),
        Field(
            name="on-exit-codes",
            type=ListOf(items=Number(minimum=0, maximum=255), single=True),
            help="Only these exit codes are worth another attempt.",
        ),
        Field(
            name="non-retryable",
            type=ListOf(items=Text(), single=True),
            help="Codes of errors that no further attempt can cure.",
        ),
    ),
)

TIMEOUTS = (
    Field(name="timeout", type=Duration(), help="Longest time of an attempt.", place=STEP, origin="waterflow"),
    Field(name="timeout-minutes", type=Duration(unit=60.0), help="`timeout` in minutes, as on GitHub.", place=STEP),
)

RUN_AS = Field(
    name="run-as",
    # JOB and not STEP: who a process runs as is seen by everybody on its host, so it reads no secrets.
    type=Text(pattern=r"(?:[A-Za-z_][A-Za-z0-9_.@+-]{0,254}\$?)?", what="a user's name"),
    help="User that the processes of steps run as; the agent's own if empty.",
    place=JOB,
    origin="waterflow",
)

RESOURCES_TYPE = ObjectType(
    name="resources",
    title="`resources`",
    model=Resources,
    fields=(
        Field(name="memory", type=Memory(), help="Memory that a process of a step may have, `512MiB`.", place=STEP),
    ),
)

RESOURCES = Field(
    name="resources", type=Ref(name="resources"), help="What a step may use of its host.", origin="waterflow"
)

STEP_TYPE = ObjectType(
    name="step",
    title="A step",
    model=Step,
    scope=True,
    exclusive=(("run", "uses"), ("timeout", "timeout-minutes")),
    fields=(
        STEP_ID,
        _NAME,
        _IF,
        Field(
            name="uses",
            type=Text(filled=True),
            help="The node, action, directory or image that runs.",
            place=STEP,
            github=OnGithub(static=True),
        ),
        Field(name="run", type=Text(), help="A script for the shell.", place=STEP),
        Field(
            name="with",
            type=MapOf(values=Json(), template=True),
            help="The inputs of `uses`.",
            place=STEP,
            github=OnGithub(type=ENV),
        ),
        Field(name="env", type=ENV, help="Environment of this step.", place=STEP),
        Field(
            name="shell",
            type=Text(filled=True),
            help="bash, sh, python, pwsh or a command with `{0}`.",
            place=STEP,
            github=OnGithub(static=True),
        ),
        Field(name="working-directory", type=Text(), help="Where `run` starts.", place=STEP),
        RUN_AS,
        RESOURCES,
        *TIMEOUTS,
        Field(
            name="heartbeat-timeout",
            type=Duration(),
            help="How long the agent may be silent; 30s.",
            place=STEP,
            origin="waterflow",
        ),
        Field(name="retry", type=Ref(name="retry"), help="When to try again.", place=STEP, origin="waterflow"),
        Field(name="continue-on-error", type=Flag(), help="Whether the job goes on after a failure.", place=STEP),
        Field(
            name="rollback",
            type=Steps(single=True),
            help="Undoes this step when the job fails later.",
            origin="waterflow",
        ),
        _FOR_EACH,
        _AS,
        _MAX_PARALLEL,
        _FAIL_FAST,
    ),
)

PARALLEL_TYPE = ObjectType(
    name="parallel",
    title="A `parallel` block",
    model=Parallel,
    scope=True,
    fields=(
        Field(name="parallel", type=Steps(), help="Steps that run at once.", required=True),
        STEP_ID,
        _NAME,
        _IF,
        _MAX_PARALLEL,
        _FAIL_FAST,
    ),
)

BRANCH_TYPE = ObjectType(
    name="branch",
    title="An `if` block",
    model=Branch,
    scope=True,
    fields=(
        Field(name="if", type=Condition(), help="Decides between `then` and `else`.", place=STEP_IF, required=True),
        Field(name="then", type=Steps(single=True), help="Runs when the condition holds.", required=True),
        Field(name="else", type=Steps(single=True), help="Runs when it does not."),
        STEP_ID,
        _NAME,
    ),
)

LOOP_TYPE = ObjectType(
    name="loop",
    title="A `for-each` block",
    model=Loop,
    scope=True,
    fields=(
        Field(
            name="for-each",
            type=Json(),
            help="A list, or an expression that gives one.",
            place=STEP,
            required=True,
        ),
        Field(name="steps", type=Steps(), help="The steps, once for each element.", required=True),
        _AS,
        _MAX_PARALLEL,
        _FAIL_FAST,
        STEP_ID,
        _NAME,
        _IF,
    ),
)

WHILE_TYPE = ObjectType(
    name="while",
    title="A `while` block",
    model=While,
    scope=True,
    fields=(
        Field(name="while", type=Condition(), help="Asked before each iteration.", place=STEP_IF, required=True),
        Field(name="steps", type=Steps(), help="The steps of an iteration.", required=True),
        Field(name="max-iterations", type=Number(minimum=1), help="Ends the loop as failed; 1000.", place=STEP),
        Field(name="delay", type=Duration(), help="Pause between iterations.", place=STEP),
        STEP_ID,
        _NAME,
        _IF,
    ),
)

STEP_TYPES = (STEP_TYPE, PARALLEL_TYPE, BRANCH_TYPE, LOOP_TYPE, WHILE_TYPE, RETRY, RESOURCES_TYPE)
