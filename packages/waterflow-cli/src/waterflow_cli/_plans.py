"""Asking the server for plans, dry runs and edits of a file that was checked."""

from __future__ import annotations

from waterflow_sdk.client import AsyncClient, Edited, InvalidWorkflow, Run
from waterflow_sdk.wire import PlanView

from ._submit import Job, refused


async def fetch_plan(client: AsyncClient, job: Job, *, dry_run: bool = False, against: str | None = None) -> PlanView:
    """What a run of the file would do, as the server sees it; what it refuses is shown as for a submit."""
    values = job.values
    try:
        return await client.plan(
            job.source.text,
            filename=job.source.name,
            files=job.source.files,
            vars=values.vars,
            inputs=values.inputs,
            secrets=values.secrets,
            dry_run=dry_run,
            against=against,
        )
    except InvalidWorkflow as error:
        raise refused(error, job.source) from None


async def send_edit(run: Run, job: Job, *, dry_run: bool) -> Edited:
    """Send the file as the changed definition of a run."""
    values = job.values
    try:
        return await run.edit(
            job.source.text,
            filename=job.source.name,
            files=job.source.files,
            vars=values.vars,
            inputs=values.inputs,
            secrets=values.secrets,
            dry_run=dry_run,
        )
    except InvalidWorkflow as error:
        raise refused(error, job.source) from None
