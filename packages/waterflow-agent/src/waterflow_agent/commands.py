"""Commands of this distribution: ``waterflow-agent`` and, through the CLI, ``waterflow agent start``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._errors import AgentError
from ._lazy import make_lazy
from ._version import VERSION

if TYPE_CHECKING:
    from ._settings import Loaded

USAGE = 2
"""Exit code for wrong arguments or settings."""

_HEAD = """usage: {command} [start] [options]
       {command} config [options]     show the settings in force and where each came from
       {command} check PATH           say what an agent would make of a plug-in, without one

Runs an agent: takes steps from Temporal and executes them on this host.
Each option may also be set in the environment or in agent.yaml (--config, else /etc/waterflow/agent.yaml).
"""


def console() -> None:
    """The command ``waterflow-agent``."""
    make_lazy()
    code = main(sys.argv[1:], "waterflow-agent")
    sys.stdout.flush()
    sys.stderr.flush()
    # With the Temporal SDK loaded, the interpreter may abort while it is taken down; nothing is left to do anyway.
    os._exit(code)


def start(argv: Sequence[str]) -> int:
    """``waterflow agent start``: runs an agent until it is stopped. Answers the exit code."""
    make_lazy()
    return main(["start", *argv], "waterflow agent")


def main(argv: Sequence[str], command: str) -> int:
    """Runs a command line. Answers the exit code: 0, 1 when the agent failed, 2 for wrong arguments or settings."""
    verb, rest = ("start", list(argv)) if not argv or argv[0].startswith("-") else (argv[0], list(argv[1:]))
    if {"-h", "--help"} & {verb, *rest}:
        _print(_help(command))
        return 0
    if "--version" in rest:
        _print(f"waterflow-agent {VERSION}")
        return 0
    try:
        if verb == "config":
            loaded = _load(rest)
            _print("\n".join([*loaded.lines(), *loaded.ignored]))
            return 0
        if verb == "check":
            return _check(rest)
        if verb == "start":
            return _start(rest)
    except AgentError as error:
        print(f"error: {error.message}", file=sys.stderr)  # noqa: T201
        return USAGE if error.code == "agent-settings" else 1
    print(f"error: unknown command {verb!r}; see {command} --help", file=sys.stderr)  # noqa: T201
    return USAGE


def _check(argv: Sequence[str]) -> int:
    if len(argv) != 1 or argv[0].startswith("-"):
        print("error: check needs one file or folder", file=sys.stderr)  # noqa: T201
        return USAGE
    from pathlib import Path

    from ._plugins._review import review

    good, lines = review(Path(argv[0]))
    _print("\n".join(lines))
    return 0 if good else 1


def _start(argv: Sequence[str]) -> int:
    loaded = _load(argv)
    from ._main import run  # the Temporal SDK is imported only when an agent really runs

    return run(loaded)


def _load(argv: Sequence[str]) -> Loaded:
    from ._settings import load  # after make_lazy

    return load(argv, os.environ)


def _help(command: str) -> str:
    from ._settings import SETTINGS

    options = [f"  --{setting.flag} VALUE".ljust(30) + setting.help for setting in SETTINGS if setting.flag]
    return "\n".join(
        [_HEAD.format(command=command), "options:", "  --config FILE".ljust(30) + "settings file", *options]
    )


def _print(text: str) -> None:
    print(text)  # noqa: T201
