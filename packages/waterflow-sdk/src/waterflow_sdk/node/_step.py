"""The context that hosts (the agent, ``waterflow_sdk.testing``) give to a node, and what it changed through it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from ..wire import AgentRef, AttemptKey, LogEventKind, LogRecord, LogStreamKind, NodeTask, RunInfo
from ._context import Line, LineHandler, ProcessResult
from ._environ import check_env, check_path, process_env
from ._errors import NodeCancelled
from ._events import StepLog
from ._lines import LineSplitter
from ._masking import Masker
from ._sound import is_sound
from ._text import MaskedText, Sink

if TYPE_CHECKING:  # asyncio's subprocess machinery is imported when a process is run
    from ._confinement import Confinement
    from ._process import StepProcesses
    from ._starting import StartProcess

TAIL_LINES = 20
"""How many last lines of output an error carries."""


class StepContext:
    """Implements :class:`NodeContext` for one attempt. Every method may be called from any thread.

    Args:
        task: The attempt.
        workspace: Directory shared by the steps of the job; exists.
        make_temp: Makes the private directory of the attempt when a node first asks for it; the host removes it.
        sink: Takes the log, masked, in batches; called from any thread, by one at a time.
        base_env: Environment under the task's own (the host decides what of its own a step may see).
        on_process_start: Gets each new process group, to journal it.
        on_process_end: Gets each process group of which nothing is left.
        start_process: Starts processes in another way than as children of this process.
        confinement: What the host puts around each process; nothing by default.
    """

    def __init__(
        self,
        *,
        task: NodeTask,
        workspace: Path,
        make_temp: Callable[[], Path],
        sink: Sink,
        base_env: Mapping[str, str],
        on_process_start: Callable[[int], None] | None = None,
        on_process_end: Callable[[int], None] | None = None,
        start_process: StartProcess | None = None,
        confinement: Confinement | None = None,
    ) -> None:
        self._task = task
        self._lock = RLock()
        self._sink = sink
        self._journal = (on_process_start, on_process_end)
        self._start_process = start_process
        self._confinement = confinement
        self._processes: StepProcesses | None = None
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.workspace = workspace
        self._make_temp = make_temp
        self._temp: Path | None = None
        self.env: Mapping[str, str] = process_env(base_env, task.env, task.paths)
        self.masker = Masker((*task.secrets.values(), *task.masks))
        self.stdout = MaskedText(LogStreamKind.STDOUT, self.masker, self._emit, self._lock)
        self.stderr = MaskedText(LogStreamKind.STDERR, self.masker, self._emit, self._lock)
        self._texts: list[MaskedText | _HandledLines] = [self.stdout, self.stderr]
        self.log = StepLog(self._event)
        self.cancelled = False
        self.outputs: dict[str, Any] = {}
        """What the node gave with ``set_output``."""
        self.env_changes: dict[str, str | None] = {}
        """What later steps of the job see; None = unset."""
        self.path_changes: list[str] = []
        """New entries in front of ``PATH``, the latest first."""
        self.masks: list[str] = []
        """Values that the node asked to mask."""

    @property
    def temp(self) -> Path:
        """As :attr:`NodeContext.temp`."""
        with self._lock:
            if self._temp is None:
                self._temp = self._make_temp()
            return self._temp

    @property
    def paths(self) -> Sequence[str]:
        """As :attr:`NodeContext.paths`."""
        return self._task.paths

    @property
    def secrets(self) -> Mapping[str, str]:
        """As :attr:`NodeContext.secrets`."""
        return self._task.secrets

    @property
    def agent(self) -> AgentRef:
        """As :attr:`NodeContext.agent`."""
        return self._task.agent

    @property
    def run(self) -> RunInfo:
        """As :attr:`NodeContext.run`."""
        return self._task.run

    @property
    def key(self) -> AttemptKey:
        """As :attr:`NodeContext.key`."""
        return self._task.key

    @property
    def attempt(self) -> int:
        """As :attr:`NodeContext.attempt`."""
        return self._task.key.attempt

    @property
    def kill_grace(self) -> float:
        """Seconds that a cancelled step has before it is ended by force."""
        return self._task.kill_grace

    @property
    def tail(self) -> list[str]:
        """The last lines of output, masked."""
        with self._lock:
            return list(self._tail)

    @property
    def ran_process(self) -> bool:
        """Whether the node ran any process."""
        return self._processes is not None

    def progress(self, percent: float, message: str = "") -> None:
        """As :meth:`NodeContext.progress`."""
        self._event(LogEventKind.PROGRESS, message, {"percent": max(0.0, min(100.0, float(percent)))})

    def heartbeat(self) -> None:
        """As :meth:`NodeContext.heartbeat`."""
        if self.cancelled:
            raise NodeCancelled("the step was cancelled")

    def add_mask(self, value: str) -> None:
        """As :meth:`NodeContext.add_mask`."""
        with self._lock:
            self.masker.add(value)
            if len(value) > 1 and is_sound(value) and value not in self.masks:  # others never stand in a text
                self.masks.append(value)

    def set_env(self, name: str, value: str | None) -> None:
        """As :meth:`NodeContext.set_env`; raises :class:`InvalidInput` for what no environment can hold."""
        check_env(name, value)
        with self._lock:
            self.env_changes[name] = value

    def add_path(self, directory: str | os.PathLike[str]) -> None:
        """As :meth:`NodeContext.add_path`; a relative directory starts at the workspace."""
        path = check_path(self.workspace, directory)
        with self._lock:
            self.path_changes = [path, *(other for other in self.path_changes if other != path)]

    def set_output(self, name: str, value: Any) -> None:
        """As :meth:`NodeContext.set_output`."""
        with self._lock:
            self.outputs[name] = value

    async def run_process(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str | None] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        stdin: str | bytes | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
        on_stdout: LineHandler | None = None,
        on_stderr: LineHandler | None = None,
    ) -> ProcessResult:
        """As :meth:`NodeContext.run_process`."""
        if self.cancelled:
            raise NodeCancelled("the step was cancelled: no further process is started")
        merged = {**self.env, **(env or {})}
        out, err = self._output(LogStreamKind.STDOUT, on_stdout), self._output(LogStreamKind.STDERR, on_stderr)
        try:
            return await self._step_processes().run(
                argv,
                env={name: value for name, value in merged.items() if value is not None},
                cwd=self.workspace if cwd is None else self.workspace / cwd,
                on_stdout=out.write,
                on_stderr=err.write,
                stdin=stdin,
                timeout=timeout,
            )
        finally:
            out.flush()
            err.flush()

    def mark_cancelled(self) -> None:
        """From now on :attr:`cancelled` is true and no process is started."""
        self.cancelled = True

    async def close(self) -> None:
        """When the node has ended: end what processes are left, and hand the last unfinished lines to the sink."""
        try:
            if self._processes is not None:
                await self._processes.close()
        finally:
            for text in self._texts:
                text.flush()

    def _step_processes(self) -> StepProcesses:
        from ._process import StepProcesses
        from ._spawn import start_child

        if self._processes is None:
            began, ended = self._journal
            self._processes = StepProcesses(
                grace=self.kill_grace,
                on_start=began,
                on_end=ended,
                start=self._start_process or start_child,
                confinement=self._confinement,
            )
        return self._processes

    def _output(self, stream: LogStreamKind, handler: LineHandler | None) -> MaskedText | _HandledLines:
        if handler is not None:
            output = _HandledLines(handler)
        else:
            output = MaskedText(stream, self.masker, self._emit, self._lock)
        self._texts.append(output)  # background processes may write to it until the step ends
        return output

    def _event(self, kind: LogEventKind, text: str, data: dict[str, Any]) -> None:
        with self._lock:
            self._emit(StepLog.records(kind, self.masker.mask(text), self.masker.mask_data(data)))

    def _emit(self, records: Sequence[LogRecord]) -> None:
        self._tail.extend(record.text for record in records if record.stream is not LogStreamKind.EVENT)
        self._sink(records)


class _HandledLines:
    """Output that goes to the node's own handler as lines, unmasked: the node may need what it reads."""

    def __init__(self, handler: LineHandler) -> None:
        self._handler = handler
        self._split = LineSplitter()

    def write(self, text: str) -> None:
        self._handle(self._split.feed(text))

    def flush(self) -> None:
        self._handle(self._split.flush())

    def _handle(self, lines: list[Line]) -> None:
        if lines:
            self._handler(lines)
