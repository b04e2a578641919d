"""Submissions: from the text of a workflow file and what it gets to a run, or to everything that is wrong with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from waterflow_dsl import CheckResult, Diagnostic, Plan, check
from waterflow_sdk.wire import SubmitRequest, SubmitResponse, ValidateRequest, ValidateResponse

from ._errors import ServerError
from ._inputs import FieldError, check_secrets, check_vars, convert_inputs
from .catalog import MAX_AGE, Snapshot
from .engine import unsupported
from .runs import Submission

MAX_LABELS = 50
MAX_LABEL_BYTES = 1500
"""All labels together: a search attribute of Temporal takes 2,048 bytes."""

MAX_IDEMPOTENCY_KEY = 256
_FILENAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_LABEL = re.compile(r"[^\x00-\x1f\x7f\"']{1,100}")


class InvalidWorkflow(ServerError):
    """The file has errors; ``details["errors"]`` are the language's diagnostics."""

    code = "invalid-workflow"


class InvalidInputs(ServerError):
    """The file is right, but what the run gets is not; ``details["errors"]`` say where."""

    code = "invalid-inputs"


class SecretsUnprotected(ServerError):
    """Secrets were given, but nothing would encrypt them on their way."""

    code = "secrets-unprotected"


class RunStarter(Protocol):
    """Starts runs (:class:`waterflow_server.runs.Runs`)."""

    async def submit(self, submission: Submission) -> tuple[str, bool]:
        """Start a run; its id, and whether it is new."""
        ...


class CatalogSource(Protocol):
    """Gives the catalog (:class:`waterflow_server.catalog.NodeCatalog`)."""

    async def snapshot(self, max_age: float = MAX_AGE) -> Snapshot:
        """The catalog, at most so many seconds old."""
        ...


class Submissions:
    """Checks workflow files against the catalog and starts runs. ``encrypts``: payloads are sealed with a key."""

    def __init__(self, runs: RunStarter, catalog: CatalogSource, *, encrypts: bool) -> None:
        self._runs = runs
        self._catalog = catalog
        self._encrypts = encrypts

    async def submit(self, request: SubmitRequest, started_by: str) -> SubmitResponse:
        """Start a run. Raises SecretsUnprotected, InvalidWorkflow, InvalidInputs, and what starting a run raises."""
        if request.secrets and not self._encrypts:
            raise SecretsUnprotected(
                "secrets are refused: this server has no key to encrypt them with. Give it a key file "
                "(WATERFLOW_KEYS_FILE), the same as the agents have"
            )
        _refuse_if(_check_filename(request.filename))
        result, snapshot = await self._check(request.yaml, request.filename, request.vars)
        if result.plan is None:
            raise _invalid(request.filename, result)
        _check_support(request.filename, result.plan)
        inputs = _accept(result.plan, request)
        submission = Submission(
            plan=result.plan,
            vars=request.vars,
            inputs=inputs,
            secrets=request.secrets,
            labels=list(dict.fromkeys(request.labels)),
            started_by=started_by,
            tenant_id=request.tenant_id,
            idempotency_key=request.idempotency_key,
            run_at=request.run_at,
            retry_safe=snapshot.retry_safe,
            source=request.yaml,
            filename=request.filename,
            target_all=snapshot.target_all,
        )
        run_id, created = await self._runs.submit(submission)
        warnings = render(result.diagnostics)
        return SubmitResponse(id=run_id, url=f"/v1/workflows/{run_id}", created=created, warnings=warnings)

    async def validate(self, request: ValidateRequest) -> ValidateResponse:
        """Check the file; what is wrong with it is in the answer. Raises InvalidInputs for a name that is none."""
        _refuse_if(_check_filename(request.filename))
        result, _ = await self._check(request.yaml, request.filename, ())
        missing = _not_available(request.filename, result.plan) if result.plan else []
        return ValidateResponse(
            valid=result.ok and not missing,
            diagnostics=render(result.diagnostics) + missing,
            plan_hash=result.plan.hash if result.plan else None,
        )

    async def _check(self, text: str, filename: str, variables: Collection[str]) -> tuple[CheckResult, Snapshot]:
        snapshot = await self._catalog.snapshot()
        result = await asyncio.to_thread(check, text, filename=filename, catalog=snapshot.language, variables=variables)
        if result.ok:
            return result, snapshot
        # A node or a group may have come with an agent since the snapshot was taken: never refuse what is there.
        fresh = await self._catalog.snapshot(max_age=0.0)
        if fresh.language == snapshot.language:
            return result, fresh
        result = await asyncio.to_thread(check, text, filename=filename, catalog=fresh.language, variables=variables)
        return result, fresh


def render(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """Diagnostics as JSON values."""
    return [msgspec.to_builtins(diagnostic) for diagnostic in diagnostics]


def _invalid(filename: str, result: CheckResult) -> InvalidWorkflow:
    errors = [each for each in result.diagnostics if each.severity == "error"]
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    hint = f"; {first.hint}" if first.hint else ""
    return InvalidWorkflow(
        f"{filename}:{first.line}:{first.column}: {first.message}{hint}{more}", {"errors": render(result.diagnostics)}
    )


def _check_support(filename: str, plan: Plan) -> None:
    """What the language knows and this server cannot run is refused before anything starts."""
    errors = _not_available(filename, plan)
    if errors:
        text = "; ".join(f"{filename}:{error['line']}: {error['message']}" for error in errors)
        raise InvalidWorkflow(text, {"errors": errors})


def _not_available(filename: str, plan: Plan) -> list[FieldError]:
    return [
        {
            "code": "not-available",
            "severity": "error",
            "message": message,
            "file": filename,
            "line": line,
            "column": 1,
        }
        for line, message in unsupported(plan)
    ]


def _accept(plan: Plan, request: SubmitRequest) -> dict[str, Any]:
    inputs, errors = convert_inputs(plan, request.inputs)
    errors += check_vars(plan, request.yaml, request.vars)
    errors += check_secrets(plan, request.secrets)
    errors += _check_labels(request.labels)
    errors += _check_key(request.idempotency_key)
    errors += _check_time(request.run_at)
    _refuse_if(errors)
    return inputs


def _refuse_if(errors: Sequence[FieldError]) -> None:
    if errors:
        raise InvalidInputs("; ".join(error["message"] for error in errors), {"errors": errors})


def _check_filename(filename: str) -> list[FieldError]:
    # It is repeated in messages, which end on terminals and in logs.
    if _FILENAME.fullmatch(filename):
        return []
    message = "the file name has to have 1 to 255 characters, without control characters"
    return [{"path": "filename", "code": "filename", "message": message}]


def _check_time(run_at: datetime | None) -> list[FieldError]:
    if run_at is None or run_at.tzinfo is not None:
        return []
    return [
        {"path": "run_at", "code": "run-at", "message": f"run_at {run_at.isoformat()} needs a time zone, such as Z"}
    ]


def _check_labels(labels: Sequence[str]) -> list[FieldError]:
    errors = [
        {
            "path": f"labels[{number}]",
            "code": "label",
            "message": f"label {label!r} has to be text of 1 to 100 characters without quotes",
        }
        for number, label in enumerate(labels)
        if _LABEL.fullmatch(label) is None
    ]
    if len(labels) > MAX_LABELS or sum(len(label.encode()) for label in labels) > MAX_LABEL_BYTES:
        message = f"there are too many labels: at most {MAX_LABELS}, and {MAX_LABEL_BYTES} bytes together"
        errors.append({"path": "labels", "code": "labels", "message": message})
    return errors


def _check_key(key: str | None) -> list[FieldError]:
    if key is None or 0 < len(key) <= MAX_IDEMPOTENCY_KEY:
        return []
    message = f"the idempotency key has to have 1 to {MAX_IDEMPOTENCY_KEY} characters"
    return [{"path": "idempotency_key", "code": "idempotency-key", "message": message}]
