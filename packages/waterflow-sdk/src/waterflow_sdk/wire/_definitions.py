"""Bodies of ``/v1/definitions``: workflows that the server keeps, version by version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ._base import Wire


class DefinitionPut(Wire, frozen=True, kw_only=True):
    """``PUT /v1/definitions/{name}``: the workflow file as text, with the files that it calls.

    ``expected`` is the newest version that the change is made on top of (0 = there is none yet); None = whatever it is.
    """

    yaml: str
    filename: str = "workflow.yaml"
    files: dict[str, str] = {}
    expected: int | None = None


class DefinitionVersion(Wire, frozen=True, kw_only=True):
    """One version, without its text. ``digest`` is the SHA-256 of what was sent, ``size`` its length in bytes."""

    number: int
    created: datetime
    digest: str
    by: str = ""
    title: str = ""
    description: str = ""
    size: int = 0


class DefinitionInfo(Wire, frozen=True, kw_only=True):
    """A stored workflow. Triggers and ``run`` use its ``active`` version, and none while it is not ``enabled``.

    ``schedules`` are the names of the schedules that the active version asks for (``on: schedule``); ``created`` says
    whether a PUT made a new version; ``warnings`` are the language's diagnostics of a PUT.
    """

    name: str
    active: int
    latest: int
    enabled: bool = True
    title: str = ""
    description: str = ""
    updated: datetime | None = None
    schedules: list[str] = []
    created: bool = False
    warnings: list[dict[str, Any]] = []


class DefinitionText(Wire, frozen=True, kw_only=True):
    """``GET /v1/definitions/{name}/versions/{version}``: one version with its text."""

    name: str
    version: DefinitionVersion
    yaml: str
    filename: str = "workflow.yaml"
    files: dict[str, str] = {}


class DefinitionDiff(Wire, frozen=True, kw_only=True):
    """``GET /v1/definitions/{name}/diff``: what changed between two versions, as a unified diff; empty when nothing."""

    name: str
    old: int
    new: int
    diff: str = ""


class ActivateRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/definitions/{name}/activate``: use this version from now on."""

    version: int


class DefinitionRunRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/definitions/{name}/run``: what this run gets. ``version`` None = the active one."""

    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    labels: list[str] = []
    tenant_id: str | None = None
    idempotency_key: str | None = None
    run_at: datetime | None = None
    version: int | None = None
