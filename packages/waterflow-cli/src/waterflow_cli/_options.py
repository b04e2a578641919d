"""Options that many commands share, and the client that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient

Command = TypeVar("Command", bound=Callable[..., Any])
T = TypeVar("T")

FORMATS = ("table", "json", "yaml", "wide")


def server_options(command: Command) -> Command:
    """``--server`` and ``--api-key``, on the command as well as before it; the one closer to the command wins."""
    for option, what in (
        ("--api-key", "API key of the server (or WATERFLOW_API_KEY, which other users cannot see)."),
        ("--server", "Address of the server (or WATERFLOW_SERVER; default http://127.0.0.1:8080)."),
    ):
        command = click.option(option, help=what, expose_value=False, callback=_remember)(command)
    return command


def tls_options(command: Command) -> Command:
    """``--server-ca``, ``--server-cert`` and ``--server-key``: once, before the command."""
    for option, what in (
        ("--server-key", "PEM file with the key of --server-cert (or WATERFLOW_SERVER_KEY)."),
        ("--server-cert", "PEM file with a certificate that the server is shown (or WATERFLOW_SERVER_CERT)."),
        ("--server-ca", "PEM file that the server's certificate is checked against (or WATERFLOW_SERVER_CA)."),
    ):
        command = click.option(option, metavar="FILE", help=what, expose_value=False, callback=_remember)(command)
    return command


def _remember(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.meta[f"waterflow.{parameter.name}"] = value


def format_option(command: Command) -> Command:
    """``-o table|json|yaml|wide``."""
    decorate = click.option(
        "-o", "--output", "format", type=click.Choice(FORMATS), default="table", help="Form of the output."
    )
    return decorate(command)


def make_client(*, server: str | None = None, retries: int | None = None, timeout: float | None = None) -> AsyncClient:
    """The client that the options name; what is None is the client's default. Raises ``InvalidSettings``."""
    from waterflow_sdk.client import AsyncClient

    meta = click.get_current_context().meta
    address = server or meta.get("waterflow.server")
    given = {"retries": retries, "timeout": timeout}
    given |= {name: meta.get(f"waterflow.server_{name}") for name in ("ca", "cert", "key")}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return AsyncClient(address, meta.get("waterflow.api_key"), **options)


def same_server(client: AsyncClient) -> str:
    """The option, after a space, with which another command reaches the same server; empty where it does by itself."""
    named = "waterflow.server" in click.get_current_context().meta
    return f" --server {client.server}" if named else ""


def call(work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
    """Run ``work`` with a client of its own."""
    import asyncio

    async def run() -> T:
        async with make_client() as client:
            return await work(client)

    return asyncio.run(run())


def file_option(command: Command) -> Command:
    """``--file``: a called workflow that may be sent although it is outside of the directory of the caller."""

    def collect(ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> None:
        ctx.meta["waterflow.files"] = given

    option = click.option(
        "--file",
        "called_files",
        multiple=True,
        metavar="PATH",
        expose_value=False,
        callback=collect,
        help="A called workflow outside of the directory of FILE that may be sent along.",
    )
    return option(command)
