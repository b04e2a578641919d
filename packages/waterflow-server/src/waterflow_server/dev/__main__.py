"""python -m waterflow_server.dev: the same as `waterflow dev`."""

import os
import sys

from ._command import main

if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # temporalio's threads can abort the interpreter while it shuts down, and the exit code with it.
    os._exit(code)
