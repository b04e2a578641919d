"""Lets the Temporal SDK download the Temporal CLI: python -m waterflow_server.dev._download DIRECTORY.

The SDK only downloads on the way to starting a dev server, so one is started and stopped. It runs in a process of its
own because a download inside the SDK's native part cannot be ended from Python.
"""

from __future__ import annotations

import asyncio
import os
import sys

from temporalio.testing import WorkflowEnvironment


async def _download(directory: str) -> int:
    try:
        environment = await WorkflowEnvironment.start_local(download_dest_dir=directory)  # pyright: ignore[reportUnknownMemberType]
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    await environment.shutdown()
    return 0


def main() -> None:
    """Downloads into the directory that is the only argument; exit code 1 and one line on stderr when it fails."""
    code = asyncio.run(_download(sys.argv[1]))
    sys.stderr.flush()
    # The SDK's threads can abort the interpreter while it shuts down, which would turn the exit code into a lie.
    os._exit(code)


if __name__ == "__main__":
    main()
