"""``python -m waterflow_server start …``: the same as ``waterflow server start …``."""

from __future__ import annotations

import os
import sys

from .commands import server


def main() -> None:
    """Run, and end at once."""
    try:
        code = server()
    except SystemExit as error:  # argparse, after it has said what is wrong
        code = error.code if isinstance(error.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    # temporalio's core can abort the process while the interpreter is taken down; nothing is left to do by then.
    os._exit(code)


if __name__ == "__main__":
    main()
