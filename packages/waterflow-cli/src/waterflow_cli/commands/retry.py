"""``waterflow retry``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._errors import CliError
from .._options import server_options

if TYPE_CHECKING:
    from waterflow_sdk.client import RetryScope


@click.command()
@click.argument("id")
@click.option("--failed-jobs", is_flag=True, help="Run failed jobs again from their first step.")
@click.option(
    "--hosts", is_flag=True, help="Only failed hosts of jobs on several hosts; other failed jobs stay failed."
)
@click.option("--job", metavar="NAME", help="Run this job again, and all that need it.")
@click.option("--from-step", metavar="JOB.STEP", help="Every instance of JOB goes on at STEP: its id, or steps[2].")
@click.option("--all", "everything", is_flag=True, help="Run everything again; nothing is kept.")
@click.option("--detach", is_flag=True, help="Return as soon as the new run is accepted; its id goes to stdout.")
@server_options
def retry(
    id: str,
    failed_jobs: bool,
    hosts: bool,
    job: str | None,
    from_step: str | None,
    everything: bool,
    detach: bool,
) -> int:
    """Run the ended run ID again as a new run, and follow that; the exit code is its result.

    What has succeeded is kept: failed jobs go on at their first step that did not succeed. --hosts leaves other
    failed jobs as they are; --failed-jobs, --job, --from-step and --all keep less.
    """
    import asyncio

    from .._session import retry_there

    scope = _scope(failed_jobs=failed_jobs, hosts=hosts, job=job, step=from_step, everything=everything)
    return asyncio.run(retry_there(id, scope, job, from_step, detach=detach))


def _scope(*, failed_jobs: bool, hosts: bool, job: str | None, step: str | None, everything: bool) -> RetryScope:
    given: dict[str, RetryScope] = {}
    if failed_jobs:
        given["--failed-jobs"] = "failed-jobs"
    if hosts:
        given["--hosts"] = "failed-hosts"
    if step is not None:
        given["--from-step"] = "step"
    if job is not None:
        given["--job"] = "job"
    if everything:
        given["--all"] = "all"
    if len(given) > 1:
        raise CliError(f"{' and '.join(given)} exclude each other: each says what runs again")
    scopes: list[RetryScope] = [*given.values(), "failed"]
    return scopes[0]
