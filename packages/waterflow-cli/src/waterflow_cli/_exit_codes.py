"""Exit codes: stable, and part of the interface."""

from __future__ import annotations

from enum import IntEnum

from waterflow_sdk.wire import State


class ExitCode(IntEnum):
    """What the exit code of ``waterflow`` says. Each has a line in the reference of the command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNAVAILABLE = 4
    CANCELLED = 5
    TIMED_OUT = 6
    DENIED = 7
    CONFLICT = 8
    DEFECT = 70
    INTERRUPTED = 130
    PIPE = 141
    TERMINATED = 143


MEANINGS = {
    ExitCode.OK: "it worked; the run ended with success",
    ExitCode.FAILED: "the run failed",
    ExitCode.USAGE: "wrong command line, or a workflow file with errors",
    ExitCode.NOT_FOUND: "there is no such run, node or agent",
    ExitCode.UNAVAILABLE: "the server cannot be reached, cannot answer now, or is not a Waterflow server",
    ExitCode.CANCELLED: "the run was cancelled",
    ExitCode.TIMED_OUT: "the run timed out, or did not end within --timeout",
    ExitCode.DENIED: "the API key is missing, unknown, or may not do this",
    ExitCode.CONFLICT: "the request does not fit the state of things (the run has ended, no approval waits)",
    ExitCode.DEFECT: "a defect in waterflow itself",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C); a run on a server goes on",
    ExitCode.PIPE: "the reader of the output has gone",
    ExitCode.TERMINATED: "terminated (SIGTERM); a run on a server goes on",
}

_OF_STATE = {
    State.SUCCESS: ExitCode.OK,
    State.SKIPPED: ExitCode.OK,
    State.FAILED: ExitCode.FAILED,
    State.CANCELLED: ExitCode.CANCELLED,
    State.TIMED_OUT: ExitCode.TIMED_OUT,
}


def of_state(state: State) -> ExitCode:
    """The exit code for a run that has ended in ``state``."""
    return _OF_STATE[state]
