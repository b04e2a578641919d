"""Removing what steps of other users left, where only they may: a directory of theirs with mode 0700."""

from __future__ import annotations

import logging
import os
import pwd
import subprocess
from collections.abc import Collection
from pathlib import Path

from ._argv import become
from ._reach import identity_by_sudo

logger = logging.getLogger("waterflow.agent")

_TIMEOUT = 300.0


def remove_of_others(top: Path, users: Collection[str]) -> None:
    """Remove directories below ``top`` that belong to one of these users, as that user. Blocks."""
    for folder, owner in _foreign(top):
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            continue
        user = identity_by_sudo(name) if name in users else None
        if user is not None:
            _remove(folder, [*become(user), "/bin/rm", "-rf", "--", str(folder)])


def _foreign(top: Path) -> list[tuple[Path, int]]:
    """The outermost directories that are not the agent's, with their owners."""
    found: list[tuple[Path, int]] = []
    for path, folders, _files in os.walk(top):
        for name in list(folders):
            place = Path(path, name)
            owner = place.lstat().st_uid
            if owner != os.geteuid():
                folders.remove(name)
                found.append((place, owner))
    return found


def _remove(folder: Path, argv: list[str]) -> None:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("%s could not be removed: %s", folder, error)
        return
    if done.returncode:
        logger.warning("%s could not be removed: %s", folder, done.stderr.decode(errors="replace").strip()[:300])
