"""The file and its triggers."""

from __future__ import annotations

from typing import Any

from waterflow_dsl.model._base import ModelObject, Values
from waterflow_dsl.model._concurrency import Concurrency
from waterflow_dsl.model._job import Job, JobDefaults


class Input(ModelObject, frozen=True, kw_only=True):
    """A declared input."""

    type: str | None = None
    required: bool = False
    default: Any = None
    description: str = ""
    options: tuple[Any, ...] = ()


class Secret(ModelObject, frozen=True, kw_only=True):
    """A declared secret; ``on`` is only there where it was written."""

    required: bool = False
    description: str = ""
    from_: str | None = None
    on: str | None = None


class ManualTrigger(ModelObject, frozen=True, kw_only=True):
    """``manual``, GitHub's ``workflow_dispatch``."""

    inputs: dict[str, Input | None] = {}


class Schedule(ModelObject, frozen=True, kw_only=True):
    """One cron schedule."""

    cron: str | None = None
    timezone: str = "UTC"
    overlap: str = "skip"
    catch_up: float = 0.0
    jitter: float = 0.0


class Webhook(ModelObject, frozen=True, kw_only=True):
    """``webhook``."""

    secret: str | None = None
    if_: str | None = None


class CallOutput(ModelObject, frozen=True, kw_only=True):
    """An output of a reusable workflow."""

    value: str | None = None
    description: str = ""


class CallTrigger(ModelObject, frozen=True, kw_only=True):
    """``call``, GitHub's ``workflow_call``."""

    inputs: dict[str, Input | None] = {}
    outputs: dict[str, CallOutput | str] = {}
    secrets: dict[str, Secret | None] = {}


class GithubTrigger(ModelObject, frozen=True, kw_only=True):
    """An event of GitHub's with its filters."""

    types: tuple[str, ...] = ()
    branches: tuple[str, ...] | None = None
    branches_ignore: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    tags_ignore: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None
    workflows: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    versions: tuple[str, ...] | None = None


class Triggers(ModelObject, frozen=True, kw_only=True):
    """``on``; a trigger without settings is there as None under ``names``."""

    names: tuple[str, ...] = ()
    manual: ManualTrigger | None = None
    schedule: tuple[Schedule, ...] = ()
    webhook: Webhook | None = None
    call: CallTrigger | None = None


class Workflow(ModelObject, frozen=True, kw_only=True):
    """The file."""

    version: str | None = None
    name: str | None = None
    run_name: str | None = None
    description: str = ""
    on: Triggers | None = None
    vars: Values = {}
    secrets: dict[str, Secret | None] = {}
    env: Values | str = {}
    defaults: JobDefaults | None = None
    concurrency: Concurrency | str | None = None
    timeout: float | str | None = None
    timeout_minutes: float | str | None = None
    permissions: Any = None
    jobs: dict[str, Job] = {}
