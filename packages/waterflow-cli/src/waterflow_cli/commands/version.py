"""``waterflow version``."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

import click

from .._options import format_option, make_client, server_options
from .._output import write_data, write_table

_DISTRIBUTIONS = ("cli", "sdk", "dsl", "server", "agent", "nodes-core")


@click.command()
@format_option
@server_options
def version(format: str) -> None:
    """Show the versions of what is installed here, and of the server where one answers."""
    import asyncio

    found = {f"waterflow-{name}": _installed(f"waterflow-{name}") for name in _DISTRIBUTIONS}
    versions = {name: number for name, number in found.items() if number}
    server = asyncio.run(_server())
    if server:
        versions["server at " + server[0]] = server[1]
    if not write_data(versions, format):
        write_table(["", ""], [[name, number] for name, number in versions.items()], "")


def _installed(name: str) -> str:
    try:
        return installed(name)
    except PackageNotFoundError:
        return ""


async def _server() -> tuple[str, str] | None:
    from waterflow_sdk.client import WaterflowError

    async with make_client(retries=0) as client:
        try:
            health = await client.health()
        except WaterflowError:
            return None  # that no server answers is no error of this command
        return client.server, health.version
