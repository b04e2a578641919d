"""Entry of the process: ``waterflow`` and ``python -m waterflow_cli``."""

from __future__ import annotations

import contextlib
import os
import sys

from ._main import main


def console() -> None:
    """Run the command line and leave with its exit code."""
    code = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # the reader has gone: there is nobody left to tell
            stream.flush()
    # An entry-point command may have loaded a library (temporalio) that can abort while the interpreter shuts down.
    if "temporalio" in sys.modules:
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    console()
