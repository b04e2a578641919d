"""Runs a program so that it ends when the process that started it ends, even by SIGKILL.

Usage: python -I -S _launcher.py OWNER_PID SIGNAL PROGRAM [ARGUMENT…]

The owner starts this file instead of the program. It asks the kernel for a signal on the owner's death
(prctl(2), PR_SET_PDEATHSIG) and then becomes the program by execve, which keeps the request. `preexec_fn` of the
subprocess module would do the same between fork and exec, where a process with threads may not run Python.

The kernel watches the *thread* that forked, so the owner starts its children from a thread that lives as long as it
does. Only Linux has this. Elsewhere the program is started without it: an owner that is ended by a signal which can be
caught stops its children, one that is killed with SIGKILL leaves them.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
CANNOT_EXECUTE = 126
NOT_FOUND = 127


def _tie_to_owner(owner: int, death_signal: int) -> None:
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The owner may have died before the request was made; then no signal would ever come.
    if os.getppid() != owner:
        os._exit(1)


def main(argv: list[str]) -> int:
    """Becomes the program; returns only when that failed: 127 when it is not there, 126 for any other reason."""
    owner, death_signal, *command = argv
    try:
        _tie_to_owner(int(owner), int(death_signal))
        os.execvp(command[0], command)
    except FileNotFoundError:
        sys.stderr.write(f"{command[0]}: not found\n")
        return NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror or error}\n")
        return CANNOT_EXECUTE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
