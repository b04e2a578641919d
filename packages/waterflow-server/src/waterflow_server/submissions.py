"""Submissions: from the text of a workflow file and what it gets to a run, or to everything that is wrong with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from waterflow_dsl import CheckedFiles, Diagnostic, Plan
from waterflow_sdk.wire import SubmitRequest, SubmitResponse, ValidateRequest, ValidateResponse

from ._errors import ServerError
from ._inputs import FieldError, check_secrets, check_vars, convert_inputs
from ._workflow_files import NothingStored, StoredWorkflows, all_secrets, check_sent, check_with_files
from .catalog import MAX_AGE, Snapshot
from .engine import unsupported
from .planning import Given, check_called, check_placement
from .runs import Submission
from .secrets import SecretReferences

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


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A file of which a plan could be made, and what was given with it, judged. ``called`` are the plans of those that
    it calls, by key.

    ``diagnostics`` are those of the language and of placement, ``unavailable`` what this server cannot run,
    ``problems`` what is wrong with inputs, variables, secrets and the rest.
    """

    plan: Plan
    called: Mapping[str, Plan]
    snapshot: Snapshot
    inputs: dict[str, Any]
    diagnostics: tuple[Diagnostic, ...]
    unavailable: list[FieldError]
    problems: list[FieldError]

    @property
    def acceptable(self) -> bool:
        """Whether a run of it may be started."""
        return not (self.unavailable or self.problems or _errors(self.diagnostics))

    def refuse(self, filename: str) -> None:
        """Raises InvalidWorkflow or InvalidInputs for what may not be started."""
        if self.unavailable:
            text = "; ".join(f"{error['file']}:{error['line']}: {error['message']}" for error in self.unavailable)
            raise InvalidWorkflow(text, {"errors": self.unavailable})
        _refuse_if(self.problems)
        if not self.acceptable:
            raise _invalid(filename, self.diagnostics)


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A run that could be started, and how its file was judged."""

    submission: Submission
    examined: Examined


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
    """Checks workflow files against the catalog and starts runs. ``secrets`` completes what runs are given of them;
    ``stored`` are the workflows that files may call by name.
    """

    def __init__(
        self,
        runs: RunStarter,
        catalog: CatalogSource,
        *,
        secrets: SecretReferences,
        stored: StoredWorkflows | None = None,
    ) -> None:
        self._runs = runs
        self._catalog = catalog
        self._secrets = secrets
        self._stored = stored or NothingStored()

    async def submit(self, request: SubmitRequest, started_by: str) -> SubmitResponse:
        """Start a run. Raises SecretsUnprotected, SecretsUnavailable, InvalidWorkflow, InvalidInputs, and what starting
        a run raises.
        """
        prepared = await self.prepare(request, started_by)
        run_id, created = await self._runs.submit(prepared.submission)
        warnings = render(prepared.examined.diagnostics)
        return SubmitResponse(id=run_id, url=f"/v1/workflows/{run_id}", created=created, warnings=warnings)

    async def prepare(self, request: SubmitRequest, started_by: str) -> Prepared:
        """The whole way of a submit but for the start: a run that could be started. Raises what a submit raises."""
        examined = await self.examine(request)
        examined.refuse(request.filename)
        secrets, missing = await self._secrets.complete(all_secrets(examined.plan, examined.called), request.secrets)
        _refuse_if(missing)
        snapshot = examined.snapshot
        submission = Submission(
            plan=examined.plan,
            called=examined.called,
            vars=request.vars,
            inputs=examined.inputs,
            secrets=secrets,
            labels=list(dict.fromkeys(request.labels)),
            started_by=started_by,
            tenant_id=request.tenant_id,
            idempotency_key=request.idempotency_key,
            run_at=request.run_at,
            retry_safe=snapshot.retry_safe,
            target_all=snapshot.target_all,
            source=request.yaml,
            filename=request.filename,
        )
        return Prepared(submission=submission, examined=examined)

    async def examine(self, request: SubmitRequest) -> Examined:
        """A file and what it gets, judged. Raises InvalidWorkflow where no plan can be made of the file."""
        checked, snapshot = await self._check(request, request.vars)
        result = checked.result
        if result.plan is None:
            raise _invalid(request.filename, result.diagnostics)
        inputs, problems = _accept(result.plan, checked.called, request)
        given = Given(vars=request.vars, inputs=inputs)
        placement, snapshot = await self._place(checked, snapshot, given, later=_is_later(request.run_at))
        return Examined(
            plan=result.plan,
            called=checked.called,
            snapshot=snapshot,
            inputs=inputs,
            diagnostics=(*result.diagnostics, *placement),
            unavailable=_not_available(result.plan, checked.called),
            problems=problems,
        )

    async def _place(
        self, checked: CheckedFiles, snapshot: Snapshot, given: Given, *, later: bool
    ) -> tuple[tuple[Diagnostic, ...], Snapshot]:
        """The placement check; what it refuses is looked at again with the agents of this very moment."""

        def check(snapshot: Snapshot) -> tuple[Diagnostic, ...]:
            own = check_placement(checked.result, snapshot, given, later=later)
            return (*own, *check_called(checked, snapshot, given, later=later))

        found = await asyncio.to_thread(check, snapshot)
        if any(each.severity == "error" for each in found):
            snapshot = await self._catalog.snapshot(max_age=0.0)
            found = await asyncio.to_thread(check, snapshot)
        return found, snapshot

    async def validate(self, request: ValidateRequest) -> ValidateResponse:
        """Check the file; what is wrong with it is in the answer. Raises InvalidInputs for a name that is none."""
        checked, snapshot = await self._check(request, ())
        result = checked.result
        placement, _ = await self._place(checked, snapshot, Given(open=True), later=False)
        missing = _not_available(result.plan, checked.called) if result.plan else []
        diagnostics = (*result.diagnostics, *placement)
        return ValidateResponse(
            valid=result.ok and not missing and not _errors(diagnostics),
            diagnostics=render(diagnostics) + missing,
            plan_hash=result.plan.hash if result.plan else None,
        )

    async def _check(
        self, request: SubmitRequest | ValidateRequest, variables: Collection[str]
    ) -> tuple[CheckedFiles, Snapshot]:
        _refuse_if([*_check_filename(request.filename), *check_sent(request.files)])

        async def check(snapshot: Snapshot) -> CheckedFiles:
            return await check_with_files(
                request.yaml, request.filename, request.files, variables, snapshot.language, self._stored
            )

        snapshot = await self._catalog.snapshot()
        checked = await check(snapshot)
        if checked.ok:
            return checked, snapshot
        # A node or a group may have come with an agent since the snapshot was taken: never refuse what is there.
        fresh = await self._catalog.snapshot(max_age=0.0)
        return checked if fresh.language == snapshot.language else await check(fresh), fresh


def render(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """Diagnostics as JSON values."""
    return [msgspec.to_builtins(diagnostic) for diagnostic in diagnostics]


def _errors(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [each for each in diagnostics if each.severity == "error"]


def _invalid(filename: str, diagnostics: Sequence[Diagnostic]) -> InvalidWorkflow:
    errors = _errors(diagnostics)
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    hint = f"; {first.hint}" if first.hint else ""
    return InvalidWorkflow(
        f"{first.file or filename}:{first.line}:{first.column}: {first.message}{hint}{more}",
        {"errors": render(diagnostics)},
    )


def _not_available(plan: Plan, called: Mapping[str, Plan]) -> list[FieldError]:
    """What the language knows and this server cannot run is refused before anything starts."""
    return [
        {
            "code": "not-available",
            "severity": "error",
            "message": message,
            "file": each.source,
            "line": line,
            "column": 1,
        }
        for each in (plan, *called.values())
        for line, message in unsupported(each)
    ]


def _accept(plan: Plan, called: Mapping[str, Plan], request: SubmitRequest) -> tuple[dict[str, Any], list[FieldError]]:
    """The inputs as their declared types, and what is wrong with all that the run would get."""
    inputs, errors = convert_inputs(plan.inputs, request.inputs)
    variables = {name: value for each in (plan, *called.values()) for name, value in each.vars.items()}
    errors += check_vars(variables, [request.yaml, *request.files.values()], request.vars)
    errors += check_secrets(all_secrets(plan, called), request.secrets)
    errors += _check_labels(request.labels)
    errors += _check_key(request.idempotency_key)
    errors += _check_time(request.run_at)
    return inputs, errors


def _is_later(run_at: datetime | None) -> bool:
    """Whether a run starts another time; one whose time is over starts at once."""
    return run_at is not None and run_at.tzinfo is not None and run_at > datetime.now(UTC)


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
