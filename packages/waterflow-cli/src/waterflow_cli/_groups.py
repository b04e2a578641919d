"""Command groups whose commands are imported when they are used, and which know near names."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from . import _plugins
from ._errors import CliError


class LazyGroup(click.Group):
    """A group with built-in commands (``module:attribute`` and a line of help each) and those of entry points.

    The line of help is kept here, so that listing the commands imports none of them.
    """

    def __init__(self, *, lazy: dict[str, tuple[str, str]], prefix: str = "", **options: Any) -> None:
        super().__init__(**options)
        self._lazy = lazy
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted({*self._lazy, *self.commands, *_plugins.names(self._prefix)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in self._lazy:
            module, attribute = self._lazy[cmd_name][0].split(":")
            command: click.Command = getattr(import_module(f".{module}", __package__), attribute)
            return command
        return _plugins.command(self._prefix + cmd_name)

    def own_commands(self) -> list[str]:
        """The names of the built-in commands."""
        return sorted(self._lazy)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, but an unknown command gets the nearest name."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not name.startswith("-"):
            near = get_close_matches(name, self.list_commands(ctx), 1)
            hint = f"did you mean `{ctx.command_path} {near[0]}`?" if near else f"`{ctx.command_path} --help` lists all"
            raise CliError(f"{ctx.command_path} has no command {name!r}", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and lines of help, without importing what they name."""
        rows = [(name, self._help(name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _help(self, name: str) -> str:
        if name in self._lazy:
            return self._lazy[name][1]
        return _plugins.help(self._prefix + name)
