"""``waterflow watch``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from waterflow_sdk.wire import EventKind, RunEvent

from .._exit_codes import ExitCode, of_state
from .._format import COLOURS, mark
from .._options import call, server_options

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient, Run


@click.command()
@click.argument("id")
@click.option(
    "--format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="json: one object a line."
)
@click.option(
    "--only", "kinds", multiple=True, type=click.Choice([kind.value for kind in EventKind]), help="Only these."
)
@server_options
def watch(id: str, format: str, kinds: tuple[str, ...]) -> int:
    """Show what happens in the run ID, event by event, until it has ended; the exit code is its result.

    All that has happened so far comes first. Restarts of the server lose nothing.
    """
    from .._runs import on_run

    async def work(run: Run) -> ExitCode:
        return await _show(run, frozenset(kinds), as_json=format == "json")

    async def on(client: AsyncClient) -> ExitCode:
        return await on_run(client, id, work)

    return call(on)


async def _show(run: Run, kinds: frozenset[str], *, as_json: bool) -> ExitCode:
    import msgspec

    from .._console import has_colour

    colour = has_colour(sys.stdout)
    async with run.events() as events:
        while batch := await events.next_batch():
            wanted = [event for event in batch if not kinds or event.kind.value in kinds]
            if wanted:
                texts = [msgspec.json.encode(each).decode() if as_json else _line(each, colour) for each in wanted]
                sys.stdout.write("\n".join(texts) + "\n")
                sys.stdout.flush()
    return of_state(events.end.state) if events.end is not None else ExitCode.FAILED


def _line(event: RunEvent, colour: bool) -> str:
    """``10:14:05  deploy[web-01]/steps[2]  failed  exit code 3``."""
    from .._console import clean

    time = event.time.astimezone().strftime("%H:%M:%S")
    said = f"{mark(event.state)} {event.state.value}"
    if event.kind is EventKind.PROGRESS:
        said = f"{event.data.get('percent', 0):g} %"
    style = COLOURS.get(event.state)
    state = click.style(said, fg=style) if colour and style else said
    words = [time, _where(event), state, _who(event), " ".join(event.reason.split())]
    return clean("  ".join(word for word in words if word), colour=colour)


def _where(event: RunEvent) -> str:
    if event.kind is EventKind.RUN:
        return "run"
    if event.kind is EventKind.ATTEMPT:
        return f"{event.path}#{event.attempt}"
    return f"{event.path} {event.kind.value}" if event.kind is EventKind.APPROVAL else event.path


def _who(event: RunEvent) -> str:
    if by := event.data.get("by"):
        return f"by {by}"
    return event.agent.name if event.agent is not None and event.kind is EventKind.JOB else ""
