"""GitHub's keys on which Waterflow does not act: known in full, so that they are judged as GitHub judges them.

Source: GitHub's "Workflow syntax", and the schema of its open parser.
"""

from __future__ import annotations

from waterflow_dsl._schema._places import CONTAINER_ENV, CREDENTIALS, JOB
from waterflow_dsl._schema._types import (
    Condition,
    Field,
    Json,
    ListOf,
    MapOf,
    ObjectType,
    OneOf,
    Ref,
    Text,
    Type,
)

_LEVELS = ("read", "write", "none")
_LEVELS_OF = {
    "copilot-requests": ("write", "none"),
    "id-token": ("write", "none"),
    "models": ("read", "none"),
    "vulnerability-alerts": ("read", "none"),
}
_RIGHTS = """
actions artifact-metadata attestations checks code-quality contents copilot-requests deployments discussions drives
id-token issues models packages pages pull-requests repository-projects security-events statuses vulnerability-alerts
"""
_FILLED = Text(filled=True)
_TEXTS = ListOf(items=_FILLED)

_CONTAINER_FIELDS = (
    Field(name="image", type=_FILLED, help="The image.", place=JOB, required=True),
    Field(name="options", type=Text(), help="Further options of `docker create`.", place=JOB),
    Field(
        name="env",
        type=MapOf(values=Json(scalar=True), template=True),
        help="Environment of the container.",
        place=CONTAINER_ENV,
    ),
    Field(name="ports", type=_TEXTS, help="Ports.", place=JOB),
    Field(name="volumes", type=_TEXTS, help="Volumes.", place=JOB),
    Field(
        name="credentials",
        type=OneOf(mapping=Ref(name="credentials"), template=True),
        help="Account at the registry.",
        place=CREDENTIALS,
    ),
)

CONTAINER = OneOf(mapping=Ref(name="container"), scalar=Text())
SERVICES = MapOf(values=OneOf(mapping=Ref(name="service"), scalar=_FILLED), template=True)
PERMISSIONS = OneOf(mapping=Ref(name="permissions"), scalar=Text(options=("read-all", "write-all")))
SNAPSHOT = OneOf(mapping=Ref(name="snapshot"), scalar=_FILLED)


def _rights(name: str) -> Type:
    return Text(options=_LEVELS_OF.get(name, _LEVELS))


GITHUB_TYPES = (
    ObjectType(
        name="permissions",
        title="`permissions`",
        model=None,
        fields=tuple(Field(name=name, type=_rights(name), help=f"The right `{name}`.") for name in _RIGHTS.split()),
    ),
    ObjectType(name="container", title="`container`", model=None, fields=_CONTAINER_FIELDS),
    ObjectType(
        name="service",
        title="A service",
        model=None,
        fields=(
            *_CONTAINER_FIELDS,
            Field(name="entrypoint", type=Text(), help="Replaces the image's entry point.", place=JOB),
            Field(name="command", type=Text(), help="Replaces the image's command.", place=JOB),
        ),
    ),
    ObjectType(
        name="credentials",
        title="`credentials`",
        model=None,
        fields=(
            Field(name="username", type=_FILLED, help="The user.", place=CREDENTIALS),
            Field(name="password", type=_FILLED, help="The password.", place=CREDENTIALS),
        ),
    ),
    ObjectType(
        name="snapshot",
        title="`snapshot`",
        model=None,
        fields=(
            Field(name="image-name", type=_FILLED, help="Name of the image.", required=True),
            Field(name="version", type=_FILLED, help="Version of the image."),
            Field(name="if", type=Condition(), help="Makes the image only when this holds.", place=JOB),
        ),
    ),
)
