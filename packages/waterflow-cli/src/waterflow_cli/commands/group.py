"""``waterflow group``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from waterflow_sdk.wire import AgentStatus, GroupMember, GroupState

from .._format import moment
from .._group_diff import diff_lines, summary
from .._groups import LazyGroup
from .._options import call, format_option, server_options
from .._output import Cell, make_table, print_table, write_data, write_table

if TYPE_CHECKING:
    from waterflow_sdk.wire import GroupTarget

_COLOURS = {AgentStatus.ONLINE: "green", AgentStatus.OFFLINE: "red"}


@click.group(
    cls=LazyGroup,
    prefix="group.",
    lazy={
        "list": ("commands.group:list_groups", "List the groups."),
        "show": ("commands.group:show", "Show a group and its members."),
        "create": ("commands.group:create", "Make a group."),
        "create-by-tag": ("commands.group:create_by_tag", "Make a group of the agents that match tags."),
        "add": ("commands.group:add", "List agents in a group."),
        "remove": ("commands.group:remove", "Take agents off the list of a group."),
        "delete": ("commands.group:delete", "Delete a group."),
        "apply": ("commands.group:apply", "Bring the groups of a file into force."),
    },
)
def group() -> None:
    """Groups of agents: what `runs-on` names."""


@click.command("list")
@format_option
@server_options
def list_groups(format: str) -> None:
    """List the groups: those that the server keeps, those that agents name themselves, and `all-servers`."""
    groups = call(lambda client: client.groups.list())
    if write_data(groups, format):
        return
    wide = format == "wide"
    headers = ["NAME", "MEMBERS", "ONLINE", "TARGET", "KEPT BY", *(["RULES"] if wide else []), "DESCRIPTION"]
    write_table(headers, [_row(group, wide) for group in groups], "there are no groups")


def _row(group: GroupState, wide: bool) -> list[Cell]:
    keeper = "server" if group.version else "built in" if group.name == "all-servers" else "agents"
    more: list[Cell] = [_rules(group)] if wide else []
    return [group.name, str(group.size), str(group.online), group.target, keeper, *more, group.description]


def _rules(group: GroupState) -> str:
    parts = (("agents", group.agents), ("tags", group.tags), ("includes", group.include_groups))
    return "; ".join(f"{what}: {' '.join(words)}" for what, words in parts if words)


@click.command("show")
@click.argument("name")
@format_option
@server_options
def show(name: str, format: str) -> None:
    """Show the group NAME: what makes an agent a member, and who is one."""
    found = call(lambda client: client.groups.get(name))
    if write_data(found, format):
        return
    from .._console import make_console

    console = make_console()
    facts: list[list[Cell]] = [[(name, "bold"), value] for name, value in _facts(found) if value]
    print_table(console, make_table(["", ""], facts))
    if found.members:
        console.print()
        headers = ["MEMBER", "STATUS", "BECAUSE", "ID"]
        print_table(console, make_table(headers, [_member(member) for member in found.members]))


def _facts(group: GroupState) -> list[tuple[str, str]]:
    return [
        ("name", group.name),
        ("description", group.description),
        ("target", group.target),
        ("members", f"{group.size}, {group.online} online"),
        ("agents", " ".join(group.agents)),
        ("not there", " ".join(group.absent)),
        ("tags", " ".join(group.tags)),
        ("includes", " ".join(group.include_groups)),
        ("version", str(group.version) if group.version else ""),
        ("changed", moment(group.changed)),
    ]


def _member(member: GroupMember) -> list[Cell]:
    status: Cell = (member.status.value, _COLOURS.get(member.status, "yellow"))
    return [member.name, status, ", ".join(member.sources), member.id]


def _shape(command: Any) -> Any:
    """The options that `create` and `create-by-tag` share."""
    for option in (
        click.option("--description", default="", help="What the group is for."),
        click.option(
            "--target",
            type=click.Choice(("any", "all")),
            default="any",
            help="What `runs-on` means by the group's name alone: any healthy member, or all of them.",
        ),
        click.option("--include", "includes", multiple=True, metavar="GROUP", help="Members of GROUP are members too."),
    ):
        command = option(command)
    return command


@click.command("create")
@click.argument("name")
@click.option("--agent", "agents", multiple=True, metavar="AGENT", help="An agent, by id or name; may be repeated.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="`ssd`, `env=prod`, `env=*`, `!ssd`: all must match.")
@_shape
@server_options
def create(
    name: str,
    agents: tuple[str, ...],
    tags: tuple[str, ...],
    includes: tuple[str, ...],
    target: GroupTarget,
    description: str,
) -> None:
    """Make the group NAME."""
    _create(name, agents, tags, includes, target, description)


@click.command("create-by-tag")
@click.argument("name")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@_shape
@server_options
def create_by_tag(
    name: str, tags: tuple[str, ...], includes: tuple[str, ...], target: GroupTarget, description: str
) -> None:
    """Make the group NAME of all agents that match every TAG (`ssd`, `env=prod`, `env=*`, `!ssd`), also later ones."""
    _create(name, (), tags, includes, target, description)


def _create(
    name: str,
    agents: tuple[str, ...],
    tags: tuple[str, ...],
    includes: tuple[str, ...],
    target: GroupTarget,
    description: str,
) -> None:
    made = call(
        lambda client: client.groups.create(
            name, description=description, agents=agents, include_groups=includes, tags=tags, target=target
        )
    )
    click.echo(f"group {made.name} is made; it has {_count(made)}")
    _warn_absent(made)


@click.command("add")
@click.argument("name")
@click.argument("agents", nargs=-1, required=True, metavar="AGENT...")
@server_options
def add(name: str, agents: tuple[str, ...]) -> None:
    """List each AGENT, by id or name, in the group NAME."""
    changed = call(lambda client: client.groups.add(name, *agents))
    click.echo(f"group {name} has {_count(changed)}")
    _warn_absent(changed)


@click.command("remove")
@click.argument("name")
@click.argument("agents", nargs=-1, required=True, metavar="AGENT...")
@server_options
def remove(name: str, agents: tuple[str, ...]) -> None:
    """Take each AGENT off the list of the group NAME."""
    changed = call(lambda client: client.groups.remove(name, *agents))
    click.echo(f"group {name} has {_count(changed)}")
    for member in changed.members:
        if member.name in agents or member.id in agents:
            why = ", ".join(member.sources)
            click.echo(f"warning: {member.name} stays a member of {name}: {why}", err=True)


@click.command("delete")
@click.argument("name")
@server_options
def delete(name: str) -> None:
    """Delete the group NAME; its agents stay what they are."""
    call(lambda client: client.groups.delete(name))
    click.echo(f"group {name} is deleted")


@click.command("apply")
@click.option("-f", "--file", "file", required=True, metavar="FILE", help="A `server-groups.yml`; `-` is stdin.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--prune", is_flag=True, help="Delete the groups that the file does not name.")
@format_option
@server_options
def apply(file: str, dry_run: bool, prune: bool, format: str) -> None:
    """Bring the groups of FILE into force, all at once or none, and show what that changes."""
    from .._source import read_source

    source = read_source(file)
    applied = call(lambda client: client.groups.apply(source.text, filename=source.name, dry_run=dry_run, prune=prune))
    if write_data(applied, format):
        return
    from .._console import make_console

    console = make_console()
    for text, style in diff_lines(applied.changes):
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
    for warning in applied.warnings:
        place = f"{warning['file']}:{warning['line']}:{warning['column']}: " if "line" in warning else ""
        click.echo(f"warning: {place}{warning['message']}", err=True)
    click.echo(summary(applied))


def _count(group: GroupState) -> str:
    return f"{group.size} member{'' if group.size == 1 else 's'}, {group.online} online"


def _warn_absent(group: GroupState) -> None:
    for agent in group.absent:
        click.echo(f"warning: there is no agent {agent!r} yet", err=True)
