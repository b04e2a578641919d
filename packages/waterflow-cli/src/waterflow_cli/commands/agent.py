"""``waterflow agent``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from waterflow_sdk.wire import AgentDuplicate, AgentState, AgentStatus, BrokenNode

from .._console import clean
from .._errors import CliError
from .._format import moment
from .._groups import LazyGroup
from .._options import call, format_option, server_options
from .._output import Cell, make_table, print_table, write_data, write_table

if TYPE_CHECKING:
    from rich.console import Console

    from waterflow_sdk.client import AsyncClient

_COLOURS = {AgentStatus.ONLINE: "green", AgentStatus.OFFLINE: "red"}


_REASON = click.option("--reason", default="", help="Why; shown with the agent.")


@click.group(
    cls=LazyGroup,
    prefix="agent.",
    lazy={
        "list": ("commands.agent:list_agents", "List the agents."),
        "status": ("commands.agent:status", "Show an agent: state, load, what runs, nodes."),
        "cordon": ("commands.agent:cordon", "Keep new work away from an agent."),
        "drain": ("commands.agent:drain", "Keep new work away from an agent that is to become empty."),
        "uncordon": ("commands.agent:uncordon", "Give an agent work again."),
        "remove": ("commands.agent:remove", "Forget an agent that is offline."),
    },
)
def agent() -> None:
    """Agents: the hosts that run steps."""


@click.command("list")
@click.option("--group", "groups", multiple=True, help="Only members of this group; of any of them where repeated.")
@click.option("--tag", "tags", multiple=True, help="Only agents with this tag or capability; with all where repeated.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in AgentStatus]),
    help="Only agents in this state; in any of them where repeated.",
)
@format_option
@server_options
def list_agents(groups: tuple[str, ...], tags: tuple[str, ...], statuses: tuple[str, ...], format: str) -> None:
    """List the agents, those that are offline too."""
    wanted = [AgentStatus(each) for each in statuses]
    agents = call(lambda client: client.agents(groups=groups, tags=tags, statuses=wanted))
    if write_data(agents, format):
        return
    wide = format == "wide"
    headers = ["NAME", "STATUS", "GROUPS", "VERSION", *(["ID", "HOST", "TAGS"] if wide else []), "REASON"]
    restricted = groups or tags or statuses
    nothing = "there are no such agents" if restricted else "there are no agents; `waterflow agent start` starts one"
    write_table(headers, [_row(agent, wide) for agent in agents], nothing)


def _row(agent: AgentState, wide: bool) -> list[Cell]:
    more: list[Cell] = [agent.id, agent.host, " ".join(agent.tags)] if wide else []
    groups = " ".join(agent.groups)
    return [agent.name, _status(agent), groups, agent.version, *more, _reason(agent)]


def _reason(agent: AgentState) -> str:
    if agent.duplicate is None:
        return agent.reason
    same = f"another agent has the same id; see `waterflow agent status {agent.id}`"
    return f"{agent.reason}; {same}" if agent.reason else same


def _status(agent: AgentState) -> Cell:
    return (agent.status.value, _COLOURS.get(agent.status, "yellow"))


def _running(agent: AgentState) -> str:
    return f"{agent.load.running}/{agent.load.slots}" if agent.load else ""


@click.command("status")
@click.argument("id")
@format_option
@server_options
def status(id: str, format: str) -> None:
    """Show the agent ID (its id or name): state, load, what runs, groups, capabilities, nodes and broken nodes."""
    agent = call(lambda client: client.agent(id))
    if write_data(agent, format):
        return
    from .._console import make_console

    console = make_console()
    rows = [[(name, "bold"), value] for name, value in _facts(agent) if value]
    print_table(console, make_table(["", ""], rows))
    if agent.load and agent.load.attempts:
        console.print("\nRunning", style="bold")
        running: list[list[Cell]] = [
            [each.run, each.job, each.step, str(each.attempt), moment(each.since)] for each in agent.load.attempts
        ]
        print_table(console, make_table(["RUN", "JOB", "STEP", "ATTEMPT", "SINCE"], running))
    if agent.broken_nodes:
        console.print("\nBroken nodes", style="bold")
        broken: list[list[Cell]] = [[(each.name, "red"), each.source, _why(each)] for each in agent.broken_nodes]
        print_table(console, make_table(["NODE", "FROM", "REASON"], broken))
        for each in agent.broken_nodes:
            _trace(console, each)


def _why(node: BrokenNode) -> str:
    """The reason, and where the traceback ends unless the reason says that already."""
    lines = [line.strip() for line in node.traceback.splitlines() if line.strip()]
    return f"{node.reason} ({lines[-1]})" if lines and lines[-1] not in node.reason else node.reason


def _trace(console: Console, node: BrokenNode) -> None:
    """The whole traceback, for the author of the node."""
    if node.traceback.strip():
        console.print(f"\n{clean(node.source, colour=False)}", style="bold")
        console.print("\n".join(clean(line, colour=False) for line in node.traceback.rstrip().splitlines()))


@click.command("cordon")
@click.argument("id")
@_REASON
@server_options
def cordon(id: str, reason: str) -> None:
    """No new work for the agent ID; running jobs go on. Holds until `uncordon`, over restarts too."""
    agent = call(lambda client: client.cordon_agent(id, reason))
    click.echo(f"agent {agent.name} is cordoned; `waterflow agent uncordon {id}` gives it work again")


@click.command("drain")
@click.argument("id")
@_REASON
@click.option("--wait", is_flag=True, help="Wait until nothing runs there any more.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), help="With --wait: for at most so many seconds."
)
@server_options
def drain(id: str, reason: str, wait: bool, timeout: float | None) -> None:
    """No new work for the agent ID, which is to become empty; running jobs end there."""
    if timeout is not None and not wait:
        raise CliError("--timeout is for --wait only", "add --wait")

    async def work(client: AsyncClient) -> tuple[AgentState, bool]:
        agent = await client.drain_agent(id, reason)
        if not wait:
            return agent, False
        from .._drained import until_empty

        return await until_empty(client, agent.id, timeout), True

    agent, empty = call(work)
    click.echo(f"agent {agent.name} is {'drained: nothing runs there' if empty else 'draining'}")


@click.command("uncordon")
@click.argument("id")
@server_options
def uncordon(id: str) -> None:
    """Work as usual for the agent ID."""
    agent = call(lambda client: client.uncordon_agent(id))
    click.echo(f"agent {agent.name} gets work again")


@click.command("remove")
@click.argument("id")
@server_options
def remove(id: str) -> None:
    """Forget the agent ID, which has to be offline. One that starts again is there again."""
    call(lambda client: client.remove_agent(id))
    click.echo(f"agent {id} is removed")


def _place(directory: str, process: int) -> str:
    return f"process {process}, state directory {directory}" if process else ""


def _duplicate(other: AgentDuplicate | None) -> list[tuple[str, Cell]]:
    if other is None:
        return []
    where = ", ".join(part for part in (f"host {other.host}", _place(other.directory, other.process)) if part)
    text = f"refused at {moment(other.time)}: {where}; stop it, or give it an id of its own"
    return [("same id", (text, "red"))]


def _facts(agent: AgentState) -> list[tuple[str, Cell]]:
    load = agent.load
    memory = f"{load.memory_used / 2**30:.1f} of {load.memory_total / 2**30:.1f} GiB" if load else ""
    return [
        ("name", agent.name),
        ("id", agent.id),
        ("status", _status(agent)),
        ("reason", agent.reason),
        ("since", moment(agent.since)),
        ("host", agent.host),
        ("place", _place(agent.directory, agent.process)),
        *_duplicate(agent.duplicate),
        ("version", agent.version),
        ("groups", " ".join(agent.groups)),
        ("tags", " ".join(agent.tags)),
        ("running", _running(agent)),
        ("load", f"{load.load1:.2f}" if load else ""),
        ("memory", memory),
        ("capabilities", " ".join(f"{name}={version}" for name, version in sorted(agent.capabilities.items()))),
        ("nodes", " ".join(sorted(agent.nodes))),
    ]
