"""The keys of the file."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._schema._github import PERMISSIONS
from waterflow_dsl._schema._job import FILE_CONCURRENCY, JOB_ID
from waterflow_dsl._schema._places import FILE_ENV, RUN
from waterflow_dsl._schema._step import ENV
from waterflow_dsl._schema._triggers import SECRETS
from waterflow_dsl._schema._types import Duration, Field, Json, MapOf, ObjectType, Ref, Text, Triggers

WORKFLOW_TYPE = ObjectType(
    name="workflow",
    title="A workflow file",
    model=model.Workflow,
    scope=True,
    exclusive=(("timeout", "timeout-minutes"),),
    fields=(
        Field(name="version", type=Text(), help='Version of the language, "1.0".', origin="waterflow"),
        Field(name="name", type=Text(), help="Name of the workflow; the file's name by default."),
        Field(name="run-name", type=Text(), help="Title of a run.", place=RUN),
        Field(name="description", type=Text(), help="What it is for."),
        Field(name="on", type=Triggers(), help="What starts it; by hand if absent."),
        Field(
            name="vars",
            type=MapOf(values=Json(), pattern="[A-Za-z_][A-Za-z0-9_-]*", what="a variable's name"),
            help="Variables with their defaults; a run may override them.",
            origin="waterflow",
        ),
        Field(name="secrets", type=SECRETS, help="Names of the secrets it uses; never values.", origin="waterflow"),
        Field(name="env", type=ENV, help="Environment of every step.", place=FILE_ENV),
        Field(name="defaults", type=Ref(name="file-defaults"), help="Defaults of jobs and steps."),
        Field(name="concurrency", type=FILE_CONCURRENCY, help="Runs that exclude each other.", place=RUN),
        Field(name="timeout", type=Duration(), help="Longest time of a run.", place=RUN, origin="waterflow"),
        Field(
            name="timeout-minutes", type=Duration(unit=60.0), help="The same in minutes.", place=RUN, origin="waterflow"
        ),
        Field(name="permissions", type=PERMISSIONS, help="Rights of GitHub's token.", origin="github"),
        Field(
            name="jobs",
            type=MapOf(values=Ref(name="job"), pattern=JOB_ID, what="a job's id"),
            help="The jobs, by id.",
            required=True,
        ),
    ),
)
