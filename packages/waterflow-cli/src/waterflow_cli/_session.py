"""``waterflow run`` and ``waterflow retry``: on a server, or on an embedded stack of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import click

from waterflow_sdk.client import Conflict, RetryScope, Run, WaterflowError, WorkflowTimeout
from waterflow_sdk.wire import RunState

from ._exit_codes import ExitCode, of_state
from ._language import groups, step_counts
from ._local import LocalOptions, LocalStack
from ._options import make_client, same_server
from ._plans import send_edit
from ._runs import on_run
from ._submit import Job, say_submitted, submit
from .follow import RunView, Signals, follow, make_view
from .follow._interrupt import ask, can_ask
from .follow._summary import write_summary
from .plans import show_report

LOCAL_GRACE = 15.0
"""Seconds that an interrupted local run gets to end its steps."""


async def run_there(job: Job, *, detach: bool, patience: float | None) -> int:
    """Submit to the server, follow, give the exit code."""
    async with make_client() as client:
        run = await submit(client, job)
        view = make_view(step_counts(job.plan, job.called), same_server(client))
        return await _shown(run, view, detach=detach, patience=patience)


async def retry_there(id: str, scope: RetryScope, job: str | None, step: str | None, *, detach: bool) -> int:
    """Retry a run of the server, follow the new one, give its exit code."""
    async with make_client() as client:
        run = await on_run(client, id, lambda run: run.retry(scope, job, step))
        return await _shown(run, make_view(options=same_server(client)), detach=detach)


async def edit_there(id: str, job: Job, *, dry_run: bool, asks: bool, detach: bool) -> int:
    """Show what an edit of a run keeps; start the run that goes on, follow it, give its exit code."""
    async with make_client() as client:
        if dry_run or asks:
            edited = await on_run(client, id, lambda run: send_edit(run, job, dry_run=True))
            show_report(edited.report)
        if dry_run or (asks and not click.confirm("go on like this?", err=True)):
            return ExitCode.OK
        edited = await on_run(client, id, lambda run: send_edit(run, job, dry_run=False))
        run = client.run(edited.id or "")
        return await _shown(run, make_view(step_counts(job.plan, job.called), same_server(client)), detach=detach)


async def _shown(run: Run, view: RunView, *, detach: bool, patience: float | None = None) -> int:
    if detach:
        click.echo(run.id)
        return ExitCode.OK
    say_submitted(run)
    with Signals() as signals:
        return await _watch(run, view, signals, patience)


async def run_here(job: Job, options: LocalOptions, patience: float | None) -> int:
    """Start a stack, run on it, stop it."""
    with Signals() as signals:
        stack = LocalStack(options, groups([job.plan, *job.called.values()]))
        try:
            started = await _unless_signalled(stack.start(), signals)
            if started is None:
                return _signal_code(signals)
            async with make_client(server=stack.server) as client:
                run = await submit(client, job)
                view = make_view(step_counts(job.plan, job.called), f" --server {client.server}")
                return await _watch_local(run, view, signals, patience, stack)
        finally:
            await stack.stop()


async def _watch(run: Run, view: RunView, signals: Signals, patience: float | None) -> int:
    following = asyncio.create_task(_followed(run, view, patience))
    try:
        while True:
            if await _unless_signalled(asyncio.wait({following}), signals) is not None:
                return _ended(await following, run)
            if signals.terminated.is_set() or not await _goes_on(run, view, signals):
                view.stop()
                click.echo(f"run {run.id} goes on; `waterflow logs -f {run.id}` follows it", err=True)
                return _signal_code(signals)
            signals.interrupted.clear()
    finally:
        await _cancel(following)


async def _watch_local(run: Run, view: RunView, signals: Signals, patience: float | None, stack: LocalStack) -> int:
    following = asyncio.create_task(_followed(run, view, patience))
    lost = asyncio.create_task(stack.lost())
    try:
        first = asyncio.wait({following, lost}, return_when=asyncio.FIRST_COMPLETED)
        if await _unless_signalled(first, signals) is not None:
            if not following.done():
                raise await lost
            return _ended(await following, run, address=False)
        view.message("interrupted: the run is being cancelled (Ctrl-C again stops at once)")
        code = _signal_code(signals)
        signals.interrupted.clear()
        await _end_run(run, "interrupted", signals)
        return code
    except WorkflowTimeout as error:
        await _end_run(run, "timed out", signals)
        raise WorkflowTimeout(error.message, remedy="it was cancelled; a longer --timeout gives it more time") from None
    finally:
        await _cancel(lost)
        await _cancel(following)


async def _end_run(run: Run, reason: str, signals: Signals) -> None:
    """Cancel the run and wait a little for its end, so that no step outlives the agents that are about to stop."""
    with suppress(WaterflowError):  # it may have ended meanwhile, and the stack is stopped in any case
        await run.cancel(reason)
        await _unless_signalled(run.wait(LOCAL_GRACE), signals)


async def _followed(run: Run, view: RunView, patience: float | None) -> RunState:
    try:
        async with asyncio.timeout(patience):
            return await follow(run, view)
    except TimeoutError:
        raise WorkflowTimeout(
            f"run {run.id} did not end within {patience:g} seconds",
            remedy=f"it goes on: `waterflow logs -f {run.id}` follows it, `waterflow cancel {run.id}` ends it",
        ) from None


def _ended(state: RunState, run: Run, *, address: bool = True) -> int:
    write_summary(state, run.url if address else "")
    return of_state(state.state)


async def _goes_on(run: Run, view: RunView, signals: Signals) -> bool:
    """What the user wants after Ctrl-C: False to detach."""
    if not can_ask():
        return False
    view.stop()
    signals.interrupted.clear()
    question = f"\nrun {run.id}: [d]etach (it goes on), [c]ancel it, or [f]ollow on? "
    answer = await _unless_signalled(ask(question, "dcf"), signals)
    if answer is None or answer == "d":
        return False
    if answer == "c":
        with suppress(Conflict):  # it has ended meanwhile
            await run.cancel("cancelled by Ctrl-C")
        view.message("cancelling …")
    view.start()
    return True


async def _unless_signalled(work: Coroutine[Any, Any, Any], signals: Signals) -> Any:
    """The result of ``work``, or None when a signal comes first; ``work`` is cancelled then."""
    task = asyncio.ensure_future(work)
    signal = asyncio.ensure_future(signals.either())
    try:
        await asyncio.wait({task, signal}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        await _cancel(signal)
        await _cancel(task)


async def _cancel(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


def _signal_code(signals: Signals) -> ExitCode:
    return ExitCode.TERMINATED if signals.terminated.is_set() else ExitCode.INTERRUPTED
