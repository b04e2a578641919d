"""``waterflow node``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from waterflow_sdk.wire import NodeEntry

from .._groups import LazyGroup
from .._options import call, format_option, server_options
from .._output import Cell, make_table, print_table, write_data, write_table
from ..node_pack import LANGUAGES, write_pack


@click.group(
    cls=LazyGroup,
    prefix="node.",
    lazy={
        "list": ("commands.node:list_nodes", "List the nodes."),
        "info": ("commands.node:info", "Show a node: inputs, outputs, examples."),
        "new": ("commands.node:new", "Make a pack with a node of your own, with tests."),
    },
)
def node() -> None:
    """Nodes that steps can use."""


@click.command("list")
@format_option
@server_options
def list_nodes(format: str) -> None:
    """List the nodes, and how many agents have each."""
    nodes = call(lambda client: client.nodes())
    if write_data(nodes, format):
        return
    wide = format == "wide"
    headers = ["NAME", "VERSION", "AGENTS", *(["FROM"] if wide else []), "DESCRIPTION"]
    write_table(headers, [_row(entry, wide) for entry in nodes], "there are no nodes: no agent has reported any")


def _row(entry: NodeEntry, wide: bool) -> list[Cell]:
    manifest = entry.manifest
    agents = "server" if entry.control else " ".join(entry.agents) if wide else str(len(entry.agents))
    lines = manifest.description.splitlines()
    more: list[Cell] = [manifest.distribution] if wide else []
    return [manifest.name, manifest.version, agents, *more, lines[0] if lines else ""]


@click.command("info")
@click.argument("name")
@format_option
@server_options
def info(name: str, format: str) -> None:
    """Show the node NAME: what it does, its inputs and outputs, examples."""
    entry = call(lambda client: client.node(name))
    if not write_data(entry, format):
        _show(entry)


def _show(entry: NodeEntry) -> None:
    from .._console import make_console

    console = make_console()
    manifest = entry.manifest
    console.print(f"{manifest.name} {manifest.version}", style="bold")
    console.print(manifest.description or "(no description)")
    console.print(f"agents: {'runs in the server' if entry.control else ', '.join(entry.agents) or 'none'}")
    for title, schema in (("Inputs", manifest.inputs), ("Outputs", manifest.outputs)):
        rows = [_field(name, field, schema, manifest.secret_inputs) for name, field in _fields(schema).items()]
        if rows:
            console.print()
            console.print(title, style="bold")
            print_table(console, make_table(["NAME", "TYPE", "DEFAULT", "DESCRIPTION"], rows))
    for example in manifest.examples:
        console.print()
        console.print(example.title, style="bold")
        console.print(example.yaml.rstrip())


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return schema.get("properties", {})


def _field(name: str, field: dict[str, Any], schema: dict[str, Any], secret: list[str]) -> list[Cell]:
    kind = field.get("type", "any")
    words = [kind if isinstance(kind, str) else " | ".join(kind)]
    words += ["required"] if name in schema.get("required", ()) else []
    words += ["secret"] if name in secret else []
    return [name, ", ".join(words), str(field.get("default", "")), str(field.get("description", ""))]


@click.command("new")
@click.argument("name")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="python", help="A Python class, or a program in any language."
)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where; default: a folder named so.")
def new(name: str, language: str, folder: Path | None) -> None:
    """Make a pack with the node NAME, such as slack/notify: it works as it is, and its tests pass."""
    for path in write_pack(name, folder, language):
        click.echo(path)
    follow = (
        "pip install . in it, beside an agent" if language == "python" else "copy it into an agent's plug-in directory"
    )
    click.echo(f"next: {follow}; its README.md says more", err=True)
