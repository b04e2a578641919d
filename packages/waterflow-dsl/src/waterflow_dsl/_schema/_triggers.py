"""The keys of triggers, and the events of GitHub with the filters that each knows.

Source: GitHub's "Events that trigger workflows" and "Workflow syntax", section ``on``.
"""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._schema._places import CALL_OUTPUT, EVENT, RUN
from waterflow_dsl._schema._types import (
    Condition,
    Duration,
    Field,
    Flag,
    Json,
    ListOf,
    MapOf,
    ObjectType,
    OneOf,
    OnGithub,
    Ref,
    Text,
)

_NAME = "[A-Za-z_][A-Za-z0-9_-]*"
_INPUT = OneOf(mapping=Ref(name="input"), null=True)
_INPUTS = MapOf(values=_INPUT, pattern=_NAME, what="an input's name")
_GITHUB_INPUTS = OnGithub(type=MapOf(values=_INPUT, null=True))
_GITHUB_CALL_INPUTS = OnGithub(type=MapOf(values=Ref(name="call-input")))
_SOURCE = r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\x00-\x1f\x7f]+|vault:[^/#?\s]+(?:/[^/#?\s]+)+#[^#\s]+"
_SECRET = OneOf(mapping=Ref(name="secret"), null=True)
SECRETS = MapOf(values=_SECRET, pattern=_NAME, what="a secret's name")
INPUT_TYPES = ("string", "number", "boolean", "choice", "json", "group", "agent", "environment")

EVENT_TYPES: dict[str, tuple[str, ...]] = {
    "branch_protection_rule": ("created", "edited", "deleted"),
    "check_run": ("completed", "created", "rerequested", "requested_action"),
    "check_suite": ("completed",),
    "create": (),
    "delete": (),
    "deployment": (),
    "deployment_status": (),
    "discussion": (
        "created",
        "edited",
        "deleted",
        "transferred",
        "pinned",
        "unpinned",
        "labeled",
        "unlabeled",
        "locked",
        "unlocked",
        "category_changed",
        "answered",
        "unanswered",
    ),
    "discussion_comment": ("created", "edited", "deleted"),
    "fork": (),
    "gollum": (),
    "image_version": ("created", "ready", "deleted"),
    "issue_comment": ("created", "edited", "deleted"),
    "issues": (
        "opened",
        "edited",
        "deleted",
        "transferred",
        "pinned",
        "unpinned",
        "closed",
        "reopened",
        "assigned",
        "unassigned",
        "labeled",
        "unlabeled",
        "locked",
        "unlocked",
        "milestoned",
        "demilestoned",
        "field_added",
        "field_removed",
        "typed",
        "untyped",
    ),
    "label": ("created", "edited", "deleted"),
    "merge_group": ("checks_requested",),
    "milestone": ("created", "closed", "opened", "edited", "deleted"),
    "page_build": (),
    "project": ("created", "closed", "reopened", "edited", "deleted"),
    "project_card": ("created", "moved", "converted", "edited", "deleted"),
    "project_column": ("created", "updated", "moved", "deleted"),
    "public": (),
    "pull_request": (
        "assigned",
        "unassigned",
        "labeled",
        "unlabeled",
        "opened",
        "edited",
        "closed",
        "reopened",
        "synchronize",
        "converted_to_draft",
        "ready_for_review",
        "locked",
        "unlocked",
        "milestoned",
        "demilestoned",
        "review_requested",
        "review_request_removed",
        "auto_merge_enabled",
        "auto_merge_disabled",
        "enqueued",
        "dequeued",
        "stacked",
    ),
    "pull_request_comment": ("created", "edited", "deleted"),
    "pull_request_review": ("submitted", "edited", "dismissed"),
    "pull_request_review_comment": ("created", "edited", "deleted"),
    "push": (),
    "registry_package": ("published", "updated"),
    "release": ("published", "unpublished", "created", "edited", "deleted", "prereleased", "released"),
    "repository_dispatch": (),
    "status": (),
    "watch": ("started",),
    "workflow_run": ("requested", "completed", "in_progress"),
}
EVENT_TYPES["pull_request_target"] = EVENT_TYPES["pull_request"]

_REF_FILTERS = frozenset({"branches", "branches-ignore"})
_PATH_FILTERS = frozenset({"paths", "paths-ignore"})
EVENT_FILTERS: dict[str, frozenset[str]] = {
    "push": _REF_FILTERS | _PATH_FILTERS | {"tags", "tags-ignore"},
    "pull_request": _REF_FILTERS | _PATH_FILTERS,
    "pull_request_target": _REF_FILTERS | _PATH_FILTERS,
    "merge_group": _REF_FILTERS,
    "workflow_run": _REF_FILTERS | {"workflows"},
    "image_version": frozenset({"names", "versions"}),
}

_DISPATCH_TYPE = OnGithub(type=Text(options=("string", "number", "boolean", "choice", "environment")))
_CALL_TYPE = OnGithub(type=Text(options=("string", "number", "boolean")), required=True)


def _input(name: str, github_type: OnGithub, default: OnGithub | None) -> ObjectType:
    return ObjectType(
        name=name,
        title="A declared input",
        model=model.Input,
        fields=_input_fields(github_type, default),
    )


def _input_fields(github_type: OnGithub, default: OnGithub | None) -> tuple[Field, ...]:
    return (
        Field(name="type", type=Text(options=INPUT_TYPES), help="Kind of value; string.", github=github_type),
        Field(name="required", type=Flag(), help="Whether a value must be given."),
        Field(name="default", type=Json(), help="Value when none is given.", place=RUN, github=default),
        Field(name="description", type=Text(), help="What it is for."),
        Field(name="options", type=ListOf(items=Json(scalar=True), minimum=1), help="The values of a choice."),
        Field(
            name="deprecation-message",
            type=Text(),
            help="Shown when the input is given.",
            aliases=("deprecationMessage",),
            origin="github",
        ),
    )


TRIGGER_TYPES = (
    _input("input", _DISPATCH_TYPE, OnGithub(type=Json(scalar=True), static=True)),
    _input("call-input", _CALL_TYPE, OnGithub(type=Json(scalar=True))),
    ObjectType(
        name="secret",
        title="A declared secret",
        model=model.Secret,
        fields=(
            Field(name="required", type=Flag(), help="Whether a run needs it."),
            Field(name="description", type=Text(), help="What it is for."),
            Field(
                name="from",
                type=Text(
                    pattern=_SOURCE,
                    what="what a secret is read from: `env:NAME`, `file:/path` or `vault:mount/path#field`",
                ),
                help="Where it is read: `env:NAME`, `file:/path` or `vault:mount/path#field`; what a submit gives "
                "goes before it.",
                origin="waterflow",
            ),
            Field(
                name="on",
                type=Text(options=("agent", "server")),
                help="Who reads it: the agent just before a step runs, or the server when the run starts; agent.",
                origin="waterflow",
            ),
        ),
    ),
    ObjectType(
        name="manual",
        title="The trigger `manual`",
        model=model.ManualTrigger,
        fields=(Field(name="inputs", type=_INPUTS, help="What is asked for.", github=_GITHUB_INPUTS),),
    ),
    ObjectType(
        name="schedule",
        title="A schedule",
        model=model.Schedule,
        fields=(
            Field(name="cron", type=Text(), help="Minute, hour, day of month, month, day of week.", required=True),
            Field(name="timezone", type=Text(), help="IANA name; UTC."),
            Field(
                name="overlap",
                type=Text(options=("skip", "queue", "cancel", "allow")),
                help="When the last run is not done; skip.",
                origin="waterflow",
            ),
            Field(
                name="catch-up", type=Duration(), help="How late a missed start may be made up for.", origin="waterflow"
            ),
            Field(name="jitter", type=Duration(), help="Random delay of at most this.", origin="waterflow"),
        ),
    ),
    ObjectType(
        name="webhook",
        title="The trigger `webhook`",
        model=model.Webhook,
        fields=(
            Field(
                name="secret", type=Text(pattern=_NAME, what="a secret's name"), help="Secret that signs the request."
            ),
            Field(name="if", type=Condition(), help="Starts only when this holds.", place=EVENT),
        ),
    ),
    ObjectType(
        name="call-output",
        title="An output of a reusable workflow",
        model=model.CallOutput,
        fields=(
            Field(name="value", type=Text(), help="Its value.", place=CALL_OUTPUT, required=True),
            Field(name="description", type=Text(), help="What it is."),
        ),
    ),
    ObjectType(
        name="call",
        title="The trigger `call`",
        model=model.CallTrigger,
        fields=(
            Field(name="inputs", type=_INPUTS, help="What the caller gives.", github=_GITHUB_CALL_INPUTS),
            Field(
                name="outputs",
                type=MapOf(
                    values=OneOf(mapping=Ref(name="call-output"), scalar=Text()), pattern=_NAME, what="an output's name"
                ),
                help="What the caller gets.",
                place=CALL_OUTPUT,
                github=OnGithub(type=MapOf(values=Ref(name="call-output"))),
            ),
            Field(
                name="secrets",
                type=SECRETS,
                help="Secrets that the caller gives.",
                github=OnGithub(type=MapOf(values=_SECRET)),
            ),
        ),
    ),
    ObjectType(
        name="triggers",
        title="`on`",
        model=model.Triggers,
        scope=True,
        fields=(
            Field(
                name="manual",
                type=OneOf(mapping=Ref(name="manual"), null=True),
                help="By hand or by the API.",
                aliases=("workflow-dispatch",),
            ),
            Field(
                name="schedule",
                type=ListOf(items=Ref(name="schedule"), single=True, minimum=1),
                help="By the clock.",
                github=OnGithub(type=ListOf(items=Ref(name="schedule"))),
            ),
            Field(
                name="webhook",
                type=OneOf(mapping=Ref(name="webhook"), null=True),
                help="By an HTTP request.",
                origin="waterflow",
            ),
            Field(
                name="call",
                type=OneOf(mapping=Ref(name="call"), null=True),
                help="By another workflow.",
                aliases=("workflow-call",),
            ),
        ),
    ),
    ObjectType(
        name="github-trigger",
        title="An event of GitHub's",
        model=model.GithubTrigger,
        fields=tuple(
            Field(
                name=name,
                type=ListOf(items=Text(filled=True), single=True),
                help=f"GitHub's filter `{name}`.",
                origin="both",
            )
            for name in [
                "types",
                "branches",
                "branches-ignore",
                "tags",
                "tags-ignore",
                "paths",
                "paths-ignore",
                "workflows",
                "names",
                "versions",
            ]
        ),
    ),
)
