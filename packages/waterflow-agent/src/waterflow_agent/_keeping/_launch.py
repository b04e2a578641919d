"""Finding the keeper of a state directory, and starting one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from .. import _keeper
from .._keeper._main import READY, SOCKET

_READY_WITHIN = 10.0


def connect(directory: Path) -> socket.socket | None:
    """A connection to the living keeper of this state directory; None if there is none."""
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.setblocking(False)
    try:
        found.connect(f"/proc/self/fd/{place}/{SOCKET}")  # its own path may be longer than a socket's can be
    except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
        found.close()
        return None
    finally:
        os.close(place)
    return found


def launch(directory: Path) -> socket.socket:
    """Starts a keeper and connects; blocks. Raises OSError where there cannot be one.

    It goes into the background, with a session of its own and nothing of our environment: it is to outlive us, and to
    hold no secret of ours.
    """
    if not sys.platform.startswith("linux") or not sys.executable:
        raise OSError(0, "processes are kept on Linux only")
    main = Path(_keeper.__file__).with_name("__main__.py")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", main, directory],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={},
            timeout=_READY_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(0, "the keeper of processes did not start in time") from None
    found = connect(directory) if done.stdout == READY else None
    if found is None:
        why = done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        raise OSError(0, f"the keeper of processes did not start: {why}")
    return found
