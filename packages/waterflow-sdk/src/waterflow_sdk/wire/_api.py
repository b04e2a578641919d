"""Bodies of the REST API, shared by the server and the client."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ._base import Wire
from ._state import RunSummary, State


class SubmitRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/workflows``: the workflow file as text and what this run gets.

    ``filename`` is only for messages. ``files`` are the workflows that it calls, texts by their paths from its
    directory (``lib/release.yaml``). The same ``idempotency_key`` gives the same run, however often it is sent.
    ``dry_run``: everything but the run; the answer is its :class:`PlanView`.
    """

    yaml: str
    filename: str = "workflow.yaml"
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    labels: list[str] = []
    tenant_id: str | None = None
    idempotency_key: str | None = None
    run_at: datetime | None = None
    files: dict[str, str] = {}
    dry_run: bool = False


class SubmitResponse(Wire, frozen=True, kw_only=True):
    """202: the run is accepted. ``created`` is false when the idempotency key had already made it."""

    id: str
    url: str
    created: bool = True
    warnings: list[dict[str, Any]] = []


class CancelRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/workflows/{id}/cancel``. ``force`` ends all at once, without ``finally``."""

    reason: str = ""
    force: bool = False


class RetryRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/workflows/{id}/retry``: a new run, linked to this one, that keeps what has succeeded.

    ``scope``: ``failed`` = failed job instances go on at their first step that did not succeed; ``failed-hosts`` = so
    do the failed hosts of jobs that run on several, and other failed jobs stay as they are; ``failed-jobs`` = failed
    instances run again from their first step; ``job`` = the job named by ``job`` and all that need it; ``step`` = every
    instance of a job goes on at the step named by ``step`` (``<job>.<step id>`` or ``<job>.steps[2]``), and all that
    need the job run again; ``all`` = everything.
    """

    scope: Literal["failed", "failed-hosts", "failed-jobs", "job", "step", "all"] = "failed"
    job: str | None = None
    step: str | None = None


class PauseRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/workflows/{id}/pause``: running steps finish, no new one starts."""

    reason: str = ""


class ApprovalRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/workflows/{id}/approve`` and ``/reject``: the answer to an approval that waits.

    ``step`` is ``<job instance>/<step path>`` and may be left out where only one waits. ``inputs`` become outputs of
    the step.
    """

    by: str = ""
    comment: str = ""
    inputs: dict[str, Any] = {}
    step: str | None = None


class EventRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/workflows/{id}/events``: something happened outside; the first ``wait`` for its name takes it."""

    name: str
    payload: Any = None


class ValidateRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/validate``. ``files`` are the workflows that it calls, as for a submit."""

    yaml: str
    filename: str = "workflow.yaml"
    files: dict[str, str] = {}


class ValidateResponse(Wire, frozen=True, kw_only=True):
    """Diagnostics as the language renders them in JSON; ``plan_hash`` when there is no error."""

    valid: bool
    diagnostics: list[dict[str, Any]] = []
    plan_hash: str | None = None


class RunPage(Wire, frozen=True, kw_only=True):
    """A page of runs, newest first. ``next`` is the cursor of the next page, None at the end."""

    items: list[RunSummary]
    next: str | None = None


class RunOutputs(Wire, frozen=True, kw_only=True):
    """``GET /v1/workflows/{id}/outputs``: those of the run, and those of its job instances that have any."""

    outputs: dict[str, Any] = {}
    jobs: dict[str, dict[str, Any]] = {}


class LogEnd(Wire, frozen=True, kw_only=True):
    """The last event of a followed log: the run has ended, nothing more comes. ``missing`` names incomplete streams."""

    state: State
    missing: list[str] = []


class Health(Wire, frozen=True, kw_only=True):
    """``GET /health/ready``: 200 with status ``ok``, else 503 with status ``unavailable`` and the reason."""

    status: str
    version: str
    temporal: str = ""
    reason: str = ""


class Problem(Wire, frozen=True, kw_only=True):
    """``application/problem+json`` (RFC 9457). ``code`` is stable; ``errors`` hold diagnostics or field errors."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str = ""
    errors: list[dict[str, Any]] = []
