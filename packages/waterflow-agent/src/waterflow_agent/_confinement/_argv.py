"""From a command to the same command as another user. What is secret stays in the environment, out of the arguments.

sudo hands on the variables that are named to it (``--preserve-env=NAMES``; the rule needs the tag ``SETENV``). It may
replace ``PATH`` (``secure_path`` of sudoers(5)), so that is given again behind it. The loader takes ``LD_*``,
``TMPDIR`` and a few more away from a set-user-ID program such as sudo (ld.so(8), "Secure-execution mode"): those do
not arrive.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from waterflow_sdk.node import InvalidInput

from ._users import Identity, Way

ENV = "/usr/bin/env"


def as_user(argv: Sequence[str], env: Mapping[str, str], cwd: Path, user: Identity) -> list[str]:
    """The command that runs ``argv`` as the user; it needs ``env`` as its own environment, and no directory of its own.

    Raises:
        InvalidInput: The program's name holds ``=``, which env(1) would take for a variable.
    """
    if user.way is Way.SELF:
        return list(argv)
    if "=" in argv[0]:
        raise InvalidInput(f"program {argv[0]!r} cannot run as another user: its name holds '='")
    # The directory is entered as that user: it may be one that the agent itself may not enter.
    placed = [ENV, "-C", str(cwd), f"PATH={env.get('PATH', '')}", *argv]
    return [*become(user, sorted(env)), *placed]


def become(user: Identity, keep: Sequence[str] = ()) -> list[str]:
    """What stands in front of a command; ``keep`` names the variables that sudo hands on."""
    if user.way is Way.SELF:
        return []
    if user.way is Way.ROOT:
        ids = f"--reuid={user.name}", f"--regid={user.gid}"
        return [shutil.which("setpriv") or "setpriv", *ids, "--init-groups", "--"]
    kept = ",".join(name for name in keep if "," not in name)
    preserved = [f"--preserve-env={kept}"] if kept else []
    return [shutil.which("sudo") or "sudo", "-n", "-u", user.name, *preserved, "--"]
