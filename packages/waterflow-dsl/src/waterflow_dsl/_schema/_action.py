"""The keys of action manifests. Source: GitHub's "Metadata syntax reference"."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._schema._places import ACTION_ARGS, ACTION_INPUT, ACTION_OUTPUT, ACTION_STEP, ACTION_STEP_IF
from waterflow_dsl._schema._step import ENV, STEP_ID
from waterflow_dsl._schema._types import (
    ActionSteps,
    Condition,
    Field,
    Flag,
    Json,
    ListOf,
    MapOf,
    ObjectType,
    OneOf,
    Ref,
    Text,
)

JAVASCRIPT = ("node12", "node16", "node20", "node24")
COLORS = ("white", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark")
USING = (*JAVASCRIPT, "docker", "composite")

_RUNS = ObjectType(
    name="action-runs",
    title="`runs`",
    model=model.ActionRuns,
    scope=True,
    fields=(
        Field(name="using", type=Text(), help="node12, node16, node20, node24, docker or composite.", required=True),
        Field(name="main", type=Text(), help="The script of a JavaScript action."),
        Field(name="pre", type=Text(), help="Script that runs before the job's steps."),
        Field(name="post", type=Text(), help="Script that runs after the job's steps."),
        Field(name="pre-if", type=Condition(), help="When `pre` runs.", place=ACTION_STEP_IF),
        Field(name="post-if", type=Condition(), help="When `post` runs.", place=ACTION_STEP_IF),
        Field(name="image", type=Text(), help="A Dockerfile, or `docker://image`."),
        Field(name="entrypoint", type=Text(), help="Replaces the image's entry point."),
        Field(name="pre-entrypoint", type=Text(), help="Runs before."),
        Field(name="post-entrypoint", type=Text(), help="Runs after."),
        Field(name="args", type=ListOf(items=Text()), help="Arguments of the entry point.", place=ACTION_ARGS),
        Field(name="env", type=ENV, help="Environment of the container.", place=ACTION_ARGS),
        Field(name="steps", type=ActionSteps(), help="Steps of a composite action."),
    ),
)

_STEP = ObjectType(
    name="action-step",
    title="A step of an action",
    model=model.Step,
    scope=True,
    exclusive=(("run", "uses"),),
    fields=(
        STEP_ID,
        Field(name="name", type=Text(), help="What is shown.", place=ACTION_STEP),
        Field(name="if", type=Condition(), help="Runs only when this holds.", place=ACTION_STEP_IF),
        Field(name="uses", type=Text(), help="An action."),
        Field(name="run", type=Text(), help="A script.", place=ACTION_STEP),
        Field(name="shell", type=Text(), help="The shell of `run`.", place=ACTION_STEP),
        Field(name="working-directory", type=Text(), help="Where `run` starts.", place=ACTION_STEP),
        Field(name="with", type=MapOf(values=Json(scalar=True), template=True), help="Inputs.", place=ACTION_STEP),
        Field(name="env", type=ENV, help="Environment.", place=ACTION_STEP),
        Field(name="continue-on-error", type=Flag(), help="Whether to go on after a failure.", place=ACTION_STEP),
    ),
)

ACTION_TYPES = (
    ObjectType(
        name="action",
        title="An action manifest",
        model=model.Action,
        scope=True,
        fields=(
            Field(name="name", type=Text(filled=True), help="Its name.", required=True),
            Field(name="author", type=Text(), help="Who made it."),
            Field(name="description", type=Text(), help="What it does.", required=True),
            Field(
                name="inputs",
                type=MapOf(values=OneOf(mapping=Ref(name="action-input"), null=True)),
                help="What it takes.",
            ),
            Field(
                name="outputs",
                type=MapOf(values=OneOf(mapping=Ref(name="action-output"), null=True)),
                help="What it gives.",
            ),
            Field(name="runs", type=Ref(name="action-runs"), help="How it runs.", required=True),
            Field(name="branding", type=Ref(name="branding"), help="Icon and colour."),
        ),
    ),
    ObjectType(
        name="action-input",
        title="An input of an action",
        model=model.ActionInput,
        loose=True,
        fields=(
            Field(name="description", type=Text(), help="What it is for."),
            Field(name="required", type=Text(options=("true", "false")), help="Whether it must be given."),
            Field(name="default", type=Text(), help="Value when none is given.", place=ACTION_INPUT),
            Field(
                name="deprecation-message", type=Text(), help="Shown when it is given.", aliases=("deprecationMessage",)
            ),
            Field(name="type", type=Text(), help="Kind of value."),
        ),
    ),
    ObjectType(
        name="action-output",
        title="An output of an action",
        model=model.ActionOutput,
        fields=(
            Field(name="description", type=Text(), help="What it is."),
            Field(name="value", type=Text(), help="Its value, in composite actions.", place=ACTION_OUTPUT),
        ),
    ),
    ObjectType(
        name="branding",
        title="`branding`",
        model=None,
        fields=(
            Field(name="icon", type=Text(), help="A Feather icon."),
            Field(name="color", type=Text(options=COLORS), help="Background of the icon."),
        ),
    ),
    _RUNS,
    _STEP,
)
