"""Asking the server for plans, dry runs and edits of a file that was checked."""

from __future__ import annotations

from waterflow_sdk.client import AsyncClient, Edited, Run
from waterflow_sdk.wire import PlanView

from ._submit import Job, refusals


async def fetch_plan(client: AsyncClient, job: Job, *, dry_run: bool = False, against: str | None = None) -> PlanView:
    """What a run of the file would do, as the server sees it; what it refuses is shown as for a submit."""
    with refusals(job.source):
        return await client.plan(job.source.text, **job.given, dry_run=dry_run, against=against)


async def send_edit(run: Run, job: Job, *, dry_run: bool) -> Edited:
    """Send the file as the changed definition of a run."""
    with refusals(job.source):
        return await run.edit(job.source.text, **job.given, dry_run=dry_run)
