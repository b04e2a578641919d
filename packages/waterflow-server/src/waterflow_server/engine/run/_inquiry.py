"""Asks, before the first job of a run, whether the agents can read the secrets that its jobs need."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError

from waterflow_sdk.secrets import holds_segment
from waterflow_sdk.wire import ErrorInfo, State

from ...inquiry import INQUIRY_WORKFLOW, Finding, Lack, inquiry_workflow_id
from .._wire import RunInput
from ..signals._stop import Stop
from ._graph import Graph

PATCH_INQUIRY = "2026-11-secrets-before-start"

_MISSING = "secret-missing"
_SHOWN = 5
_ADVICE = "Let the agents read them, or send the jobs elsewhere, and retry the run"


def is_asked(given: RunInput) -> bool:
    """Whether agents have to read secrets of the run. What it calls is asked for together with it."""
    return given.call is None and any(map(holds_segment, given.secrets.values()))


async def inquire(given: RunInput, stop: Stop) -> Finding:
    """Ask; a stop ends it. What is not found out is not held against the run: each job looks again before its steps."""
    if stop.cancelled or not workflow.patched(PATCH_INQUIRY):
        return Finding()
    asking = await workflow.start_child_workflow(
        INQUIRY_WORKFLOW, given.id, id=inquiry_workflow_id(given.id), result_type=Finding
    )
    if await stop.interrupts(asking):
        asking.cancel()
    try:
        return await asking
    except ChildWorkflowError as error:
        workflow.logger.warning("run %s starts without asking its agents for secrets: %s", given.id, error.cause)
        return Finding()


def refuse(graph: Graph, finding: Finding, now: datetime) -> ErrorInfo:
    """End all jobs before any has begun: those that lack a secret have failed, so that a retry runs them."""
    for name, record in graph.jobs.items():
        own = [lack for lack in finding.lacks if lack.job.partition("/")[0] == name]
        if own:
            record.skip(State.FAILED, _listed(own), now)
        else:
            record.skip(State.SKIPPED, "nothing was started: another job lacks a secret", now)
    codes = {lack.code for lack in finding.lacks}
    jobs = _listed(finding.lacks, finding.more, with_job=True)
    return ErrorInfo(
        code=codes.pop() if len(codes) == 1 else _MISSING,
        message=f"nothing was started, because secrets are missing: {jobs}. {_ADVICE}",
        details={
            "secrets": [
                {"job": lack.job, "host": lack.agent, "code": lack.code, "message": lack.message}
                for lack in finding.lacks
            ],
            "more": finding.more,
        },
    )


def _listed(lacks: list[Lack], more: int = 0, *, with_job: bool = False) -> str:
    shown = [f"job {lack.job} on {lack.agent}: {lack.message}" if with_job else lack.message for lack in lacks[:_SHOWN]]
    if (rest := len(lacks) - len(shown) + more) > 0:
        shown.append(f"and {rest} more")
    return "; ".join(shown)
