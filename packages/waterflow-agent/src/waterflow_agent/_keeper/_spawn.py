"""Starting one process: its own session, three descriptors, nothing else of the keeper's."""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_DEFAULT_SIGNALS = (13, 25)  # SIGPIPE and SIGXFSZ, which Python ignores (as subprocess's restore_signals does)
_SEARCHED_ON = (errno.ENOENT, errno.ENOTDIR)


class Child:
    """A process that was started, and our ends of its pipes, which do not block."""

    def __init__(self, pid: int, pidfd: int, stdin: int, outputs: dict[int, int]) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.stdin = stdin
        """-1: it has none of ours."""
        self.outputs = outputs
        """Our descriptor → 1 or 2."""


def start(argv: list[bytes], env: list[bytes], cwd: bytes, *, stdin: bool) -> Child:
    """Starts it as the leader of a new session. Raises OSError, with the file name that it is about."""
    ours: list[int] = []
    theirs: list[int] = []
    try:
        for _stream in (1, 2):
            _pipe(ours, theirs)
        if stdin:
            end, mine = os.pipe()
            theirs.append(end)
            ours.append(mine)
        pid = _spawn(argv, env, cwd, theirs)
        pidfd = _pidfd(pid)
    except BaseException:
        _close(ours)
        raise
    finally:
        _close(theirs)
    for fd in ours:
        os.set_blocking(fd, False)
    return Child(pid, pidfd, ours[2] if stdin else -1, {ours[0]: 1, ours[1]: 2})


def _pidfd(pid: int) -> int:
    """Raises OSError where it cannot be had; then the process is no more."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        raise


def _pipe(ours: list[int], theirs: list[int]) -> None:
    mine, end = os.pipe()
    ours.append(mine)
    theirs.append(end)


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)


def _spawn(argv: list[bytes], env: list[bytes], cwd: bytes, theirs: list[int]) -> int:
    """The keeper has one thread, so its own working directory may be the child's for a moment."""
    environ = dict(pair.split(b"=", 1) for pair in env)
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_DUP2, theirs[0], 1), (os.POSIX_SPAWN_DUP2, theirs[1], 2)]
    if len(theirs) > 2:
        actions.append((os.POSIX_SPAWN_DUP2, theirs[2], 0))
    else:
        actions.append((os.POSIX_SPAWN_OPEN, 0, b"/dev/null", os.O_RDONLY, 0))
    os.chdir(cwd)
    try:
        return _first_that_runs(argv, environ, actions)
    finally:
        os.chdir("/")


def _first_that_runs(argv: list[bytes], environ: dict[bytes, bytes], actions: list[tuple[Any, ...]]) -> int:
    """The search of execvp(3) on the PATH of the new environment; the first other error than "not there" counts."""
    failed = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    for program in _candidates(argv[0], environ):
        try:
            return os.posix_spawn(
                program, argv, environ, file_actions=actions, setsid=True, setsigmask=(), setsigdef=_DEFAULT_SIGNALS
            )
        except OSError as error:
            if failed.errno in _SEARCHED_ON and error.errno not in _SEARCHED_ON:
                failed = error
    raise failed


def _candidates(program: bytes, environ: dict[bytes, bytes]) -> Iterator[bytes]:
    if b"/" in program:
        yield program
        return
    for directory in environ.get(b"PATH", os.defpath.encode()).split(b":"):
        path = directory + b"/" + program if directory else program
        try:
            found = os.stat(path)
        except OSError:
            continue  # many directories do not have it: looking is cheaper than trying
        if not stat.S_ISDIR(found.st_mode):
            yield path
