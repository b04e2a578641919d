"""``main``: from arguments to an exit code, whatever happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from ._errors import CliError, of_client, report
from ._exit_codes import ExitCode

PROGRAM = "waterflow"
COMPLETE_VARIABLE = "_WATERFLOW_COMPLETE"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give its exit code. Errors are said on stderr, never raised."""
    try:
        return _run(sys.argv[1:] if argv is None else list(argv))
    except BrokenPipeError:
        # Python flushes stdout once more at its exit; that must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PIPE
    except (click.Abort, KeyboardInterrupt):
        report("interrupted")
        return ExitCode.INTERRUPTED
    except CliError as error:
        report(error.message, error.hint)
        return error.code
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        report(error.format_message())
        return ExitCode.USAGE
    except Exception as error:
        return _other(error)


def _run(argv: list[str]) -> int:
    from ._root import root

    if instruction := os.environ.get(COMPLETE_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, PROGRAM, COMPLETE_VARIABLE, instruction)
    # Not `root.main`: it makes exit codes of its own of some errors.
    try:
        with root.make_context(PROGRAM, argv) as context:
            result = root.invoke(context)
            sys.stdout.flush()
    except click.exceptions.Exit as ended:
        sys.stdout.flush()
        return ended.exit_code
    return result if isinstance(result, int) else ExitCode.OK


def _usage(error: click.UsageError) -> int:
    path = error.ctx.command_path if error.ctx else "waterflow"
    message = error.format_message()
    near = getattr(error, "possibilities", None)
    report(message, "" if near else f"`{path} --help` shows how it is used")
    return ExitCode.USAGE


def _other(error: Exception) -> int:
    # Imported here: the client costs time that `waterflow --help` need not take.
    from waterflow_sdk.client import InvalidRequest, WaterflowError

    if isinstance(error, WaterflowError):
        told = of_client(error)
        report(told.message, told.hint)
        if isinstance(error, InvalidRequest):
            _more(error.errors, told.message)
        return told.code
    if os.environ.get("WATERFLOW_DEBUG"):
        raise error
    report(
        f"this is a defect in waterflow: {type(error).__name__}: {error}",
        "WATERFLOW_DEBUG=1 shows where; please report it",
    )
    return ExitCode.DEFECT


def _more(errors: list[dict[str, object]], said: str) -> None:
    for entry in errors:
        message = str(entry.get("message", ""))
        if message and message not in said:
            place = entry.get("path", "")
            click.echo(f"  {place}: {message}" if place else f"  {message}", err=True)
