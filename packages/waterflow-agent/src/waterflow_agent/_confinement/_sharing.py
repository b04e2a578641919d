"""Makes directories of a step usable for another user, without giving anything to anybody else.

The agent keeps its files to itself (mode 0700). A user gets entries in the access-control lists of exactly what it
needs: the way to the workspace, the workspace, and the attempt's private directory. Nothing is done by path alone: the
other user may write in these directories, and must not be able to put a link in the way (CWE-59).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Generator, Sequence
from pathlib import Path

from ._acl import ALL, ENTER, READ, WRITE, grant, grant_future, inherits

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def close_to_others(directory: Path) -> None:
    """Take from everybody else what lies in a directory, if nobody else gets there before users are let through.

    Raises OSError.
    """
    if directory.stat().st_mode & stat.S_IXOTH:
        return  # others could get there all along, and that is how it is meant
    for entry in os.scandir(directory):
        found = entry.stat(follow_symlinks=False)
        mode = stat.S_IMODE(found.st_mode)
        if found.st_uid == os.geteuid() and mode & stat.S_IRWXO and not entry.is_symlink():
            os.chmod(entry.path, mode & ~stat.S_IRWXO)


def let_through(directories: Sequence[Path], uid: int) -> None:
    """Let a user pass these directories, but not look into them. Raises OSError."""
    for path in directories:
        with _opened(path) as fd:
            grant(fd, uid, ENTER)


def share_once(top: Path, uid: int) -> None:
    """Share all of a directory, and what is made in it later; once that is so, nothing is looked at. Raises OSError."""
    with _opened(top) as fd:
        if inherits(fd, uid):
            grant(fd, uid, ALL)
            return
    share(top, uid)


def share(top: Path, uid: int) -> None:
    """Share what there is in a directory, as far as the agent owns it, and what is made in it later. Raises OSError."""
    for _path, _folders, files, folder in os.fwalk(top, follow_symlinks=False):
        if os.fstat(folder).st_uid != os.geteuid():
            continue
        grant(folder, uid, ALL)
        grant_future(folder, {uid: ALL, os.geteuid(): ALL})
        for name in files:
            with contextlib.suppress(FileNotFoundError, PermissionError):  # gone, or closed to its owner
                _share_file(name, folder, uid)


def _share_file(name: str, folder: int, uid: int) -> None:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not _is_ours(found):
        return
    with _opened(name, folder) as fd:
        opened = os.fstat(fd)
        if _is_ours(opened):  # it may be another one by now
            executable = ENTER if opened.st_mode & stat.S_IXUSR else 0
            grant(fd, uid, READ | WRITE | executable)


def _is_ours(found: os.stat_result) -> bool:
    """A plain file of the agent's that has one name: a second one may be the other user's, for a file elsewhere."""
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1


@contextlib.contextmanager
def _opened(path: Path | str, folder: int | None = None) -> Generator[int]:
    fd = os.open(path, _FLAGS, dir_fd=folder)
    try:
        yield fd
    finally:
        os.close(fd)
