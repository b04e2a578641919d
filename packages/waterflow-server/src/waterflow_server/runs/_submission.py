"""What a run is started with, and the names it gets."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import secrets
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from waterflow_dsl.plan import Plan, encode_plan
from waterflow_sdk.wire import JobState, State

from .. import _search_attributes as attributes
from ..engine._wire import ResumePoint, RunInput, Workflows
from ..engine.calls import starts_others

RUN_KIND = "run"
"""Value of the search attribute for the kind of what a workflow stands for."""


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A run to start: validated, compiled, all its values given.

    ``called`` are the plans of other workflows that it may call or start, by key. ``source`` is the file's text and
    ``filename`` its name. A retry names the run it repeats (``link``), the results it keeps and where instances go on,
    by instance.
    """

    plan: Plan
    called: Mapping[str, Plan] = {}
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    labels: list[str] = []
    started_by: str = ""
    tenant_id: str | None = None
    idempotency_key: str | None = None
    run_at: datetime | None = None
    retry_safe: list[str] = []
    target_all: list[str] = []
    event: dict[str, Any] = {}
    link: str | None = None
    source: str = ""
    filename: str = ""
    kept: dict[str, JobState] = {}
    resume: dict[str, ResumePoint] = {}

    @property
    def fingerprint(self) -> str:
        """Digest of what would run; secret values do not enter it."""
        content = [encode_plan(self.plan), msgspec.json.encode([self.vars, self.inputs], order="sorted")]
        for key in sorted(self.called):
            content += [key.encode(), encode_plan(self.called[key])]
        return hashlib.sha256(b"\0".join(content)).hexdigest()


def run_input(submission: Submission, run_id: str, now: datetime, history_events: int) -> RunInput:
    """What the run's workflow is started with. A ``run_at`` that has passed is none."""
    return RunInput(
        id=run_id,
        plan=msgspec.Raw(encode_plan(submission.plan)),
        submitted=now,
        vars=submission.vars,
        inputs=submission.inputs,
        secrets=submission.secrets,
        labels=submission.labels,
        started_by=submission.started_by,
        retry_safe=submission.retry_safe,
        target_all=submission.target_all,
        event=submission.event,
        run_at=submission.run_at if submission.run_at and submission.run_at > now else None,
        link=submission.link,
        source=_pack(submission.source),
        filename=submission.filename,
        kept=submission.kept,
        resume=submission.resume,
        workflows=_workflows_of(submission),
        history_events=history_events,
    )


def _workflows_of(submission: Submission) -> Workflows:
    """What a run may call or start; itself among it only where something starts other workflows."""
    plans = dict(submission.called)
    if any(starts_others(job) for plan in (submission.plan, *plans.values()) for job in plan.jobs):
        plans[posixpath.basename(submission.filename.replace("\\", "/"))] = submission.plan
    return Workflows(plans={key: msgspec.Raw(encode_plan(plan)) for key, plan in plans.items()})


def _pack(source: str) -> bytes:
    """The file's text as it is kept in the run's input: small, because plan and values go with it."""
    return zlib.compress(source.encode(errors="surrogatepass"))


def unpack(packed: bytes) -> str:
    """The file's text again; empty for a run of a version that kept nothing."""
    return zlib.decompress(packed).decode(errors="surrogatepass") if packed else ""


def new_run_id(submission: Submission, now: datetime) -> str:
    """Readable and in time order; an idempotency key decides it wholly, so that no store is needed to find it again."""
    if submission.idempotency_key is not None:
        key = f"{submission.tenant_id or ''}\0{submission.idempotency_key}".encode()
        return f"k-{base64.b32encode(hashlib.sha256(key).digest()[:15]).decode().lower()}"
    return f"{now:%Y%m%d-%H%M%S}-{base64.b32encode(secrets.token_bytes(5)).decode().lower()}"


def search_attributes(submission: Submission, state: State = State.RUNNING) -> TypedSearchAttributes:
    """What a list can filter by; nothing secret may be among it."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(attributes.KIND, RUN_KIND),
        SearchAttributePair(attributes.NAME, submission.plan.name[:200]),
        SearchAttributePair(attributes.STATE, state.value),
        SearchAttributePair(attributes.STARTED_BY, submission.started_by[:200]),
    ]
    if submission.labels:
        pairs.append(SearchAttributePair(attributes.TAGS, submission.labels))
    if submission.link:
        pairs.append(SearchAttributePair(attributes.LINK, submission.link))
    if submission.tenant_id:
        pairs.append(SearchAttributePair(attributes.TENANT, submission.tenant_id))
    return TypedSearchAttributes(pairs)
