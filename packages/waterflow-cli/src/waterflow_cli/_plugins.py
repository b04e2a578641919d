"""Commands of other distributions: entry points of the group ``waterflow.commands``, value ``main(argv) -> int``.

A dot puts a command into a group: ``agent.start`` is ``waterflow agent start``. Nothing is imported before it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import cast

import click

from ._errors import CliError
from ._exit_codes import ExitCode

GROUP = "waterflow.commands"

WELL_KNOWN = {
    "dev": ("waterflow-server", "Temporal, server and agents on this machine, until Ctrl-C."),
    "server": ("waterflow-server", "Start and stop the server."),
    "agent.start": ("waterflow-agent", "Start an agent on this machine."),
}
"""Commands that have their place even where their distribution is not installed: it is named then."""


def names(prefix: str) -> list[str]:
    """The commands directly under ``prefix`` (``""`` or ``"agent."``)."""
    known = {name.removeprefix(prefix) for name in (*_installed(), *WELL_KNOWN) if name.startswith(prefix)}
    return sorted(name for name in known if "." not in name)


def help(name: str) -> str:
    """A line about the command, without importing it."""
    distribution, line = WELL_KNOWN.get(name, ("", ""))
    found = _installed().get(name)
    if found is None:
        return f"{line} (needs {distribution})"
    return line or f"From {found.dist.name if found.dist else found.value}."


def installed(name: str) -> bool:
    """Whether some distribution brings the command."""
    return name in _installed()


def command(name: str) -> click.Command | None:
    """The command as click sees it, or None when nobody knows it."""
    found = _installed().get(name)
    if found is None and name not in WELL_KNOWN:
        return None

    def run(argv: tuple[str, ...]) -> int:
        return _load(name, found)(list(argv))

    return click.Command(
        name.rpartition(".")[2],
        callback=run,
        params=[click.Argument(["argv"], nargs=-1, type=click.UNPROCESSED)],
        help=help(name),
        add_help_option=False,  # `--help` is the command's own
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )


def missing(name: str) -> CliError:
    """The error for a well-known command whose distribution is not installed."""
    distribution, _ = WELL_KNOWN[name]
    shown = name.replace(".", " ")
    return CliError(f"`waterflow {shown}` comes with {distribution}, which is not installed", _install(distribution))


def _install(distribution: str) -> str:
    return f"pip install {distribution}"


def _load(name: str, found: EntryPoint | None) -> Callable[[list[str]], int]:
    if found is None:
        raise missing(name)
    try:
        loaded: object = found.load()
    except Exception as error:
        raise _broken(name, found, f"{type(error).__name__}: {error}") from error
    if not callable(loaded):
        raise _broken(name, found, f"{found.value} is not a function")
    return cast("Callable[[list[str]], int]", loaded)


def _broken(name: str, found: EntryPoint, why: str) -> CliError:
    distribution = found.dist.name if found.dist else found.value
    return CliError(
        f"the command {name.replace('.', ' ')!r} of {distribution} cannot be loaded: {why}",
        f"install {distribution} again or remove it; the other commands work",
        ExitCode.DEFECT,
    )


@cache
def _installed() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, entry)  # the one that Python itself would import first
    return found
