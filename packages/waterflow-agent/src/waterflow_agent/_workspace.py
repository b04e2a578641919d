"""Directories and environment of steps on this host."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from urllib.parse import quote

from waterflow_sdk.wire import AttemptKey

from ._confinement import remove_of_others
from ._process_table import MARK

_DOOMED = "!"  # which no name of a run begins with: it is quoted

# The agent's own settings and keys are not for steps.
_OWN_PREFIXES = ("WATERFLOW_", "TEMPORAL_")
_OWN = frozenset(
    {
        *("SERVER_ADDRESS", "SERVER_API_KEY", "SERVER_GROUP", "TAGS", "TASK_QUEUE", "PLUGIN_DIR"),
        *("LOG_OUTPUT_TYPE", "LOG_OUTPUT_PATH", "VAULT_TOKEN"),
    }
)


def step_environment(environ: Mapping[str, str], hides: Callable[[str], bool]) -> dict[str, str]:
    """What steps see of the agent's environment; ``hides`` tells which variables are secrets."""
    return {
        name: value
        for name, value in environ.items()
        if name not in _OWN and not name.startswith(_OWN_PREFIXES) and not hides(name)
    }


def marked(environ: Mapping[str, str], key: AttemptKey) -> dict[str, str]:
    """The environment with the mark by which the attempt's processes are known."""
    return {**environ, MARK: str(key)}


class Workspaces:
    """``<root>/<run>/<job>`` is shared by a job's steps; ``<root>/<run>/<job> <step>.<attempt>`` belongs to one.
    ``users``: others who may have steps here.
    """

    def __init__(self, root: Path, users: Collection[str] = ()) -> None:
        self._root = root
        self._users = users
        self._used: set[AttemptKey] = set()
        self._lock = threading.Lock()  # old ones are removed in a thread
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def of_job(self, key: AttemptKey) -> Path:
        """The job's workspace, made if need be, and in use until :meth:`leave`. Raises OSError."""
        with self._lock:
            self._used.add(key)
            return self._make(_of_job(self._root, key.run, key.job))

    def leave(self, key: AttemptKey) -> None:
        """The attempt has ended; from now on its workspace ages, and no earlier, however long it ran."""
        with self._lock, contextlib.suppress(OSError):
            if key in self._used:
                self._used.discard(key)
                os.utime(_of_job(self._root, key.run, key.job))

    def above(self, workspace: Path) -> list[Path]:
        """The agent's directories on the way to a job's workspace, the outermost first."""
        return [self._root.parent, self._root, workspace.parent]

    def of_attempt(self, key: AttemptKey) -> Path:
        """The attempt's private directory, made if need be. Raises OSError."""
        return self._make(self._of_attempt(key))

    def remove_of_attempt(self, key: AttemptKey) -> None:
        """Removes a private directory; what a step made undeletable stays until the run's directory is aged out."""
        shutil.rmtree(self._of_attempt(key), ignore_errors=True)

    def forget_older_than(self, seconds: float) -> None:
        """Removes the directories of runs in which nothing happened for that long, and of which no step runs."""
        limit = time.time() - seconds
        for run in list(self._root.iterdir()):
            if doomed := self._put_aside(run, limit):
                _remove(doomed)
                if doomed.exists():
                    remove_of_others(doomed, self._users)
                    shutil.rmtree(doomed, ignore_errors=True)

    def _put_aside(self, run: Path, limit: float) -> Path | None:
        """Another name for an old one, so that a step that starts while it is removed makes itself a new one."""
        if run.name.startswith(_DOOMED):
            return run  # from a former start, or from a time when it could not be removed
        with self._lock, contextlib.suppress(FileNotFoundError):
            in_use = any(_name(key.run) == run.name for key in self._used)
            if not in_use and max(path.stat().st_mtime for path in (run, *run.iterdir())) < limit:
                return run.rename(self._root / f"{_DOOMED}{secrets.token_hex(8)}")
        return None

    def _of_attempt(self, key: AttemptKey) -> Path:
        return self._root / _name(key.run) / _name(f"{key.job} {key.step}.{key.attempt}")

    def _make(self, path: Path) -> Path:
        try:
            os.utime(path)  # the second step of a job finds it there
        except FileNotFoundError:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path


@functools.lru_cache(maxsize=256)
def _of_job(root: Path, run: str, job: str) -> Path:
    """Asked for twice by each step of a job."""
    return root / _name(run) / _name(job)


def _remove(path: Path) -> None:
    if sys.version_info >= (3, 12):  # where the other name is deprecated
        shutil.rmtree(path, onexc=_open_up)
    else:
        shutil.rmtree(path, onerror=_open_up)


def _open_up(function: Callable[..., object], path: str, error: object) -> None:
    """What a step made undeletable, as tools do that protect their caches; what belongs to others stays."""
    del error
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
        if not os.path.islink(path):
            os.chmod(path, 0o700)
        if function in (os.unlink, os.rmdir):
            function(path)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _name(text: str) -> str:
    """One safe file name for any text; long ones are cut, with a part of the text's own hash behind."""
    name = quote(text, safe="[]=,@+~ ").replace("..", "%2E%2E")
    if len(name) <= 200:
        return name
    return f"{name[:150]}~{hashlib.sha256(text.encode()).hexdigest()[:32]}"
