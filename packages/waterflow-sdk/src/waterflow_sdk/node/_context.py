"""What a node sees of the world: :class:`NodeContext`. No type of the workflow engine is visible."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import msgspec

from ..wire import AgentRef, AttemptKey, RunInfo


class ProcessResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended. ``exit_code`` is 128 + ``signal`` when a signal ended it, as shells say it."""

    exit_code: int
    signal: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0


class Line(msgspec.Struct, frozen=True):
    """A line of output without its line break. ``partial``: it was longer than 64 KiB and the next one continues it."""

    text: str
    partial: bool = False


LineHandler = Callable[[Sequence[Line]], None]
"""Gets lines in batches, as they arrive; ``some_list.extend`` is one."""


class NodeLog(Protocol):
    """Records that tell the story of the step; shown as annotations, kept beside its output.

    ``file line column title`` say what a message is about, where that is known.
    """

    def info(self, text: str, **place: Any) -> None:
        """Something worth knowing."""
        ...

    def warning(self, text: str, **place: Any) -> None:
        """Something that may become a problem."""
        ...

    def error(self, text: str, **place: Any) -> None:
        """Something that went wrong. It does not fail the step: raise a ``NodeError`` for that."""
        ...

    def group(self, title: str) -> None:
        """Open a group of lines that viewers can fold."""
        ...

    def end_group(self) -> None:
        """Close it."""
        ...


class TextStream(Protocol):
    """Standard output or standard error of the step. Text is cut into lines; the last one needs no line break."""

    def write(self, text: str) -> None:
        """Append text."""
        ...


class _Context(Protocol):
    """The part that asynchronous and synchronous nodes share. All its methods may be called from any thread."""

    @property
    def log(self) -> NodeLog:
        """Events of the step."""
        ...

    @property
    def stdout(self) -> TextStream:
        """Standard output of the step."""
        ...

    @property
    def stderr(self) -> TextStream:
        """Standard error of the step."""
        ...

    @property
    def workspace(self) -> Path:
        """Directory shared by the steps of the job on this host; relative paths of inputs start here."""
        ...

    @property
    def temp(self) -> Path:
        """Private directory of this attempt, removed when it has ended."""
        ...

    @property
    def env(self) -> Mapping[str, str]:
        """The environment that a process of this step gets, ``PATH`` with the added :attr:`paths` included."""
        ...

    @property
    def paths(self) -> Sequence[str]:
        """Directories in front of ``PATH`` that earlier steps added, the latest first."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]:
        """The secrets of the step by name; every value is masked."""
        ...

    @property
    def agent(self) -> AgentRef:
        """The agent that runs the step."""
        ...

    @property
    def run(self) -> RunInfo:
        """The run that the step belongs to."""
        ...

    @property
    def key(self) -> AttemptKey:
        """Identity of this attempt: run, job instance, step path, number. Useful as an idempotency key."""
        ...

    @property
    def attempt(self) -> int:
        """Number of this attempt, from 1."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether the step was cancelled: a synchronous node's loop looks at this now and then."""
        ...

    def progress(self, percent: float, message: str = "") -> None:
        """How far the step is, 0 to 100 (values outside are clamped), and what it is doing."""
        ...

    def heartbeat(self) -> None:
        """A place where the step may end: a loop of a synchronous node calls it now and then, or looks at
        :attr:`cancelled`. The agent needs no sign of life of a node, so there is nothing to send.

        Raises:
            NodeCancelled: The step was cancelled.
        """
        ...

    def add_mask(self, value: str) -> None:
        """Mask a value in everything that is logged from now on, in this step and in later ones of the job."""
        ...

    def set_env(self, name: str, value: str | None) -> None:
        """Set (or with None unset) an environment variable for the *later* steps of the job."""
        ...

    def add_path(self, directory: str | PathLike[str]) -> None:
        """Put a directory in front of ``PATH`` for the later steps of the job."""
        ...

    def set_output(self, name: str, value: Any) -> None:
        """Give an output whose name is only known at run time; the value must be JSON."""
        ...


class NodeContext(_Context, Protocol):
    """Context of a node whose ``execute`` is ``async def``."""

    async def run_process(
        self,
        argv: Sequence[str | PathLike[str]],
        *,
        env: Mapping[str, str | None] | None = None,
        cwd: str | PathLike[str] | None = None,
        stdin: str | bytes | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
        on_stdout: LineHandler | None = None,
        on_stderr: LineHandler | None = None,
    ) -> ProcessResult:
        """Run a process and stream its output into the step's log, line by line.

        Args:
            argv: Program and arguments. No shell reads them: untrusted text goes here or in ``env``, never in a script.
            env: Changes to :attr:`env` for this process; None unsets a variable.
            cwd: Working directory, relative to the workspace; the workspace by default.
            stdin: What the process reads; nothing by default.
            timeout: Seconds after which the process group is ended.
            on_stdout: Gets the lines of standard output *instead* of the step's log, unmasked.
            on_stderr: The same for standard error.

        The process leads its own process group. When the step is cancelled or the time is over, the group gets SIGTERM
        and, after the grace period, SIGKILL. What is left of the group when the *step* ends is ended too. An exit code
        other than 0 raises nothing.

        Raises:
            NotFoundError: The program or the working directory does not exist.
            PermissionDenied: The program may not be executed.
            NodeTimeout: The time-out is over.
        """
        ...


class SyncNodeContext(_Context, Protocol):
    """Context of a node whose ``execute`` is a plain ``def``: it runs in a thread of its own."""

    def run_process(
        self,
        argv: Sequence[str | PathLike[str]],
        *,
        env: Mapping[str, str | None] | None = None,
        cwd: str | PathLike[str] | None = None,
        stdin: str | bytes | None = None,
        timeout: float | None = None,
        on_stdout: LineHandler | None = None,
        on_stderr: LineHandler | None = None,
    ) -> ProcessResult:
        """As :meth:`NodeContext.run_process`, but blocks; raises :class:`NodeCancelled` when the step is cancelled."""
        ...
