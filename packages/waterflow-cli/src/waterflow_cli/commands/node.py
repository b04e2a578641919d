"""``waterflow node``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from waterflow_sdk.wire import NodeEntry

from .._groups import LazyGroup
from .._options import call, format_option, server_options
from .._output import Cell, make_table, print_table, write_data, write_table
from ..node_pack import LANGUAGES, write_pack

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient


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
    headers = ["NAME", "VERSION", "AGENTS", *(["NEEDS", "FROM"] if wide else []), "DESCRIPTION"]
    write_table(headers, [_row(entry, wide) for entry in nodes], "there are no nodes: no agent has reported any")


def _row(entry: NodeEntry, wide: bool) -> list[Cell]:
    manifest = entry.manifest
    agents = "server" if entry.control else " ".join(entry.agents) if wide else str(len(entry.agents))
    lines = manifest.description.splitlines()
    more: list[Cell] = [", ".join(manifest.capabilities), manifest.distribution] if wide else []
    return [manifest.name, manifest.version, agents, *more, lines[0] if lines else ""]


@click.command("info")
@click.argument("name")
@format_option
@server_options
def info(name: str, format: str) -> None:
    """Show the node NAME: what it does, which agents have it, what it needs there, inputs, outputs, examples."""

    async def work(client: AsyncClient) -> tuple[NodeEntry, list[NodeEntry]]:
        entry = await client.node(name)
        return entry, [each for each in await client.nodes() if each.manifest.name == entry.manifest.name]

    entry, versions = call(work)
    if not write_data(entry, format):
        _show(entry, [each for each in versions if each.manifest != entry.manifest])


def _show(entry: NodeEntry, others: list[NodeEntry]) -> None:
    from .._console import make_console

    console = make_console()
    manifest = entry.manifest
    console.print(f"{manifest.name} {manifest.version}", style="bold")
    console.print(manifest.description or "(no description)")
    for title, text in _facts(entry, others):
        console.print(f"{title}: {text}")
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


def _facts(entry: NodeEntry, others: list[NodeEntry]) -> Iterator[tuple[str, str]]:
    manifest = entry.manifest
    yield "agents", "runs in the server" if entry.control else ", ".join(entry.agents) or "none"
    for other in others:
        yield f"version {other.manifest.version}", ", ".join(other.agents)
    if manifest.capabilities:
        yield "needs", ", ".join(manifest.capabilities)
    traits = {
        "may be repeated without being asked": manifest.retry_safe,
        "may run as another user": manifest.confinable,
        "survives its agent": manifest.resumable,
    }
    if any(traits.values()):
        yield "properties", ", ".join(trait for trait, has in traits.items() if has)
    if manifest.distribution and not entry.control:
        yield "from", manifest.distribution


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return schema.get("properties", {})


def _field(name: str, field: dict[str, Any], schema: dict[str, Any], secret: list[str]) -> list[Cell]:
    words = [_kind(field)]
    words += ["required"] if name in schema.get("required", ()) else []
    words += ["secret"] if name in secret else []
    default = field.get("default")
    return [name, ", ".join(words), "" if default is None else str(default), str(field.get("description", ""))]


def _kind(field: dict[str, Any]) -> str:
    """The types that a value may have, in the words of JSON Schema, or the values where they are listed."""
    if "enum" in field:
        return " | ".join(str(value) for value in field["enum"])
    if parts := field.get("anyOf", field.get("oneOf")):
        return " | ".join(dict.fromkeys(_kind(part) for part in parts))
    kind = field.get("type", "object" if "$ref" in field else "any")
    return kind if isinstance(kind, str) else " | ".join(kind)


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
