"""``waterflow server start|stop|status`` and ``waterflow dev``, found by the CLI as entry points.

Exit codes are those of sysexits.h: 0 done, 2 wrong usage, 69 Temporal is not there, 70 the server failed, 75 the port
is taken or a server already runs, 78 a setting cannot be used. ``status`` and ``stop`` end with 3 when no server runs
(as the Linux Standard Base has it for init scripts).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ._errors import ServerError

OK, NOT_RUNNING, UNAVAILABLE, FAILED, BUSY, CONFIG = 0, 3, 69, 70, 75, 78

_EXIT_CODES = {
    "already-running": BUSY,
    "port-busy": BUSY,
    "settings": CONFIG,
    "temporal-refused": UNAVAILABLE,
    "temporal-unavailable": UNAVAILABLE,
}


def server(argv: Sequence[str] | None = None) -> int:
    """``waterflow server …``; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(given)
    try:
        return _act(arguments, given)
    except ServerError as error:
        sys.stderr.write(f"waterflow server: {error.message}\n")
        return _EXIT_CODES.get(error.code, FAILED)
    except KeyboardInterrupt:
        return 130


def dev(argv: Sequence[str] | None = None) -> int:
    """``waterflow dev``: the embedded stack; returns the exit code."""
    from .dev._command import main

    return main(sys.argv[1:] if argv is None else argv)


def _act(arguments: argparse.Namespace, given: list[str]) -> int:
    from . import _control
    from .settings import load

    loaded = load(vars(arguments))
    for warning in loaded.warnings:
        sys.stderr.write(f"waterflow server: warning: {warning}\n")
    if arguments.verb == "start" and arguments.background:
        return _control.start_in_background(loaded.settings, [word for word in given if word != "--background"])
    actions = {"start": _control.start, "stop": _control.stop, "status": _control.status}
    return actions[arguments.verb](loaded.settings)


def _parser() -> argparse.ArgumentParser:
    from ._settings_table import TABLE

    parser = argparse.ArgumentParser(
        prog="waterflow server", description="Runs the Waterflow server.", allow_abbrev=False
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="start|stop|status")
    for verb, text in (
        ("start", "run the server until SIGTERM or Ctrl-C"),
        ("stop", "end the server that runs on this host and port"),
        ("status", "say whether it runs and is ready"),
    ):
        sub = verbs.add_parser(verb, help=text, description=text, allow_abbrev=False)
        sub.add_argument("--config", metavar="FILE", help="settings file (default server.yaml in ~/.config/waterflow)")
        for setting in TABLE:
            if setting.kind is bool:
                sub.add_argument(setting.flag, dest=setting.name, help=setting.help, action="store_true")
            else:
                sub.add_argument(setting.flag, dest=setting.name, help=setting.help, metavar=setting.flag[2:].upper())
        if verb == "start":
            sub.add_argument("--background", action="store_true", help="return as soon as the server is ready")
    return parser
