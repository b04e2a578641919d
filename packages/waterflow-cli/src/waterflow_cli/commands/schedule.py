"""``waterflow schedule``."""

from __future__ import annotations

from datetime import datetime

import click

from waterflow_sdk.wire import Overlap, ScheduleInfo, ScheduleRun

from .._format import between, colour, moment
from .._groups import LazyGroup
from .._moments import MOMENT
from .._options import call, format_option, server_options
from .._output import Cell, make_table, print_table, write_data, write_table
from .._values import pairs

_OVERLAPS = click.Choice([each.value for each in Overlap])


@click.group(
    cls=LazyGroup,
    prefix="schedule.",
    lazy={
        "list": ("commands.schedule:list_schedules", "List the schedules."),
        "show": ("commands.schedule:show", "Show a schedule, its next times and its last runs."),
        "create": ("commands.schedule:create", "Let a definition run at times."),
        "delete": ("commands.schedule:delete", "Remove a schedule."),
        "pause": ("commands.schedule:pause", "Start nothing until it is unpaused."),
        "unpause": ("commands.schedule:unpause", "Let a paused schedule go on."),
        "trigger": ("commands.schedule:trigger", "Run now."),
        "backfill": ("commands.schedule:backfill", "Run for times that have been."),
        "next": ("commands.schedule:next_times", "Show the next times."),
    },
)
def schedule() -> None:
    """When stored workflows run by themselves."""


@click.command("list")
@format_option
@server_options
def list_schedules(format: str) -> None:
    """List the schedules: those in the files of definitions, and others."""
    found = call(lambda client: client.schedules.list())
    if write_data(found, format):
        return
    headers = ["NAME", "DEFINITION", "CRON", "TIME ZONE", "OVERLAP", "NEXT", "STATE"]
    write_table(headers, [_row(each) for each in found], "there are no schedules")


def _row(each: ScheduleInfo) -> list[Cell]:
    state: Cell = (f"paused: {each.reason}", "yellow") if each.paused else ("active", "green")
    following = moment(each.next[0]) if each.next else ""
    spec = each.spec
    return [each.name, spec.definition, spec.cron, spec.timezone, spec.overlap.value, following, state]


@click.command("show")
@click.argument("name")
@format_option
@server_options
def show(name: str, format: str) -> None:
    """Show the schedule NAME: what it does, its next times (in local time), and what came of its last ones."""
    found = call(lambda client: client.schedules.get(name))
    if write_data(found, format):
        return
    from .._console import make_console

    console = make_console()
    facts: list[list[Cell]] = [[(what, "bold"), value] for what, value in _facts(found) if value]
    print_table(console, make_table(["", ""], facts))
    if found.recent:
        console.print()
        headers = ["SCHEDULED", "STATE", "TOOK", "RUN", "REASON"]
        print_table(console, make_table(headers, [_result(each) for each in found.recent]))


def _facts(found: ScheduleInfo) -> list[tuple[str, str]]:
    spec = found.spec
    return [
        ("name", found.name),
        ("definition", spec.definition + (" (in its file)" if found.from_file else "")),
        ("times", f"{spec.cron}  {spec.timezone}"),
        ("overlap", spec.overlap.value),
        ("catch-up", f"{spec.catch_up:g} s" if spec.catch_up else ""),
        ("jitter", f"{spec.jitter:g} s" if spec.jitter else ""),
        ("paused", found.reason if found.paused else ""),
        ("next", "\n".join(moment(each) for each in found.next)),
        ("counts", f"{found.started} started, {found.missed} missed, {found.skipped} skipped"),
    ]


def _result(each: ScheduleRun) -> list[Cell]:
    state: Cell = (each.state.value, colour(each.state))
    return [moment(each.scheduled), state, between(each.started, each.ended), each.run or "", each.reason]


@click.command("create")
@click.argument("name")
@click.argument("definition")
@click.argument("cron")
@click.option("--timezone", default="UTC", metavar="ZONE", help="IANA name, such as Asia/Shanghai.")
@click.option("--overlap", type=_OVERLAPS, default="skip", help="What happens while the last run still runs.")
@click.option("--catch-up", default="0s", metavar="DURATION", help="How late a missed time may still start: `10m`.")
@click.option("--jitter", default="0s", metavar="DURATION", help="The longest random delay of a start.")
@click.option("--var", "given_vars", multiple=True, metavar="NAME=VALUE", help="A variable; NAME:=JSON for data.")
@click.option("--input", "given_inputs", multiple=True, metavar="NAME=VALUE", help="An input; NAME:=JSON for data.")
@click.option("--label", "labels", multiple=True, metavar="TEXT", help="A label of its runs.")
@server_options
def create(
    name: str,
    definition: str,
    cron: str,
    timezone: str,
    overlap: str,
    catch_up: str,
    jitter: str,
    given_vars: tuple[str, ...],
    given_inputs: tuple[str, ...],
    labels: tuple[str, ...],
) -> None:
    """Let DEFINITION run at the times of CRON (`0 2 * * *`), as the schedule NAME."""
    vars, inputs = pairs("--var", given_vars), pairs("--input", given_inputs)
    made = call(
        lambda client: client.schedules.create(
            name,
            definition,
            cron,
            timezone=timezone,
            overlap=overlap,
            catch_up=catch_up,
            jitter=jitter,
            vars=vars,
            inputs=inputs,
            labels=labels,
        )
    )
    click.echo(f"schedule {name} is made; next: {moment(made.next[0]) if made.next else 'never'}")


@click.command("delete")
@click.argument("name")
@server_options
def delete(name: str) -> None:
    """Remove the schedule NAME; its runs go on."""
    call(lambda client: client.schedules.delete(name))
    click.echo(f"schedule {name} is deleted")


@click.command("pause")
@click.argument("name")
@click.option("--reason", default="", help="Why; shown wherever the schedule is.")
@server_options
def pause(name: str, reason: str) -> None:
    """Start nothing by the schedule NAME until it is unpaused; what runs goes on."""
    call(lambda client: client.schedules.pause(name, reason))
    click.echo(f"schedule {name} is paused")


@click.command("unpause")
@click.argument("name")
@server_options
def unpause(name: str) -> None:
    """Let the paused schedule NAME go on."""
    call(lambda client: client.schedules.unpause(name))
    click.echo(f"schedule {name} goes on")


@click.command("trigger")
@click.argument("name")
@click.option("--overlap", type=_OVERLAPS, help="Else as the schedule says.")
@server_options
def trigger(name: str, overlap: str | None) -> None:
    """Run the schedule NAME now, paused or not."""
    call(lambda client: client.schedules.trigger(name, Overlap(overlap) if overlap else None))
    click.echo(f"schedule {name} is triggered; `waterflow schedule show {name}` shows its run")


@click.command("backfill")
@click.argument("name")
@click.option("--from", "start", type=MOMENT, required=True, metavar="TIME", help="The first moment, included.")
@click.option("--to", "end", type=MOMENT, default="now", metavar="TIME", help="The last moment; else now.")
@click.option("--overlap", type=_OVERLAPS, default="queue", help="Whether the runs go one after the other.")
@server_options
def backfill(name: str, start: datetime, end: datetime, overlap: str) -> None:
    """Run the schedule NAME for its times that have been, at most a hundred at once."""
    times = call(lambda client: client.schedules.backfill(name, start, end, Overlap(overlap)))
    for each in times:
        click.echo(moment(each))


@click.command("next")
@click.argument("name")
@click.option("-n", "--limit", type=click.IntRange(1, 100), default=10, help="How many.")
@format_option
@server_options
def next_times(name: str, limit: int, format: str) -> None:
    """Show the next times of the schedule NAME, in local time, as if it were not paused."""
    times = call(lambda client: client.schedules.next(name, limit))
    if not write_data(times, format):
        for each in times:
            click.echo(moment(each))
