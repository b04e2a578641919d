"""``waterflow agent``."""

from __future__ import annotations

import click

from waterflow_sdk.wire import AgentState, AgentStatus

from .._format import moment
from .._groups import LazyGroup
from .._options import call, format_option, server_options
from .._output import Cell, make_table, print_table, write_data, write_table

_COLOURS = {AgentStatus.ONLINE: "green", AgentStatus.OFFLINE: "red"}


@click.group(
    cls=LazyGroup,
    prefix="agent.",
    lazy={
        "list": ("commands.agent:list_agents", "List the agents."),
        "status": ("commands.agent:status", "Show an agent: state, load, nodes."),
    },
)
def agent() -> None:
    """Agents: the hosts that run steps."""


@click.command("list")
@format_option
@server_options
def list_agents(format: str) -> None:
    """List the agents, those that are offline too."""
    agents = call(lambda client: client.agents())
    if write_data(agents, format):
        return
    wide = format == "wide"
    headers = ["NAME", "STATUS", "GROUPS", "RUNNING", "VERSION", *(["ID", "HOST", "TAGS"] if wide else []), "REASON"]
    write_table(
        headers, [_row(agent, wide) for agent in agents], "there are no agents; `waterflow agent start` starts one"
    )


def _row(agent: AgentState, wide: bool) -> list[Cell]:
    more: list[Cell] = [agent.id, agent.host, " ".join(agent.tags)] if wide else []
    groups = " ".join(agent.groups)
    return [agent.name, _status(agent), groups, _running(agent), agent.version, *more, agent.reason]


def _status(agent: AgentState) -> Cell:
    return (agent.status.value, _COLOURS.get(agent.status, "yellow"))


def _running(agent: AgentState) -> str:
    return f"{agent.load.running}/{agent.load.slots}" if agent.load else ""


@click.command("status")
@click.argument("id")
@format_option
@server_options
def status(id: str, format: str) -> None:
    """Show the agent ID (its id or name): state, load, groups, capabilities and nodes."""
    agent = call(lambda client: client.agent(id))
    if write_data(agent, format):
        return
    from .._console import make_console

    rows = [[(name, "bold"), value] for name, value in _facts(agent) if value]
    print_table(make_console(), make_table(["", ""], rows))


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
        ("version", agent.version),
        ("groups", " ".join(agent.groups)),
        ("tags", " ".join(agent.tags)),
        ("running", _running(agent)),
        ("load", f"{load.load1:.2f}" if load else ""),
        ("memory", memory),
        ("capabilities", " ".join(f"{name}={version}" for name, version in sorted(agent.capabilities.items()))),
        ("nodes", " ".join(sorted(agent.nodes))),
    ]
