"""The processes of one step: each leads its own process group, is streamed, and does not outlive the step.

POSIX only (process groups), as agents are.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ._confinement import Confinement, Unconfined
from ._context import ProcessResult
from ._errors import NodeTimeout
from ._group import end_group, group_alive
from ._spawn import OnText, Output, spawn, start_child
from ._starting import StartedProcess, StartProcess

_DRAIN = 0.2  # seconds of silence after which output that others hold open is no longer awaited
_PIPE = 1024 * 1024  # the most that a pipe holds (Linux, fs.pipe-max-size): what comes later is not the process's own


class StepProcesses:
    """Runs processes for one step, and ends what is left of them when the step ends.

    Args:
        grace: Seconds between SIGTERM and SIGKILL.
        on_start: Called with the process group (the pid of its leader) as soon as it exists, to journal it.
        on_end: Called with the process group when nothing of it is left.
        start: How processes are started; as children of this process by default.
        confinement: What is put around each process; nothing by default.
    """

    def __init__(
        self,
        *,
        grace: float = 10.0,
        on_start: Callable[[int], None] | None = None,
        on_end: Callable[[int], None] | None = None,
        start: StartProcess = start_child,
        confinement: Confinement | None = None,
    ) -> None:
        self._start = start
        self._grace = grace
        self._on_start = on_start
        self._on_end = on_end
        self._confinement = confinement or Unconfined()
        self._groups: set[int] = set()
        self._open: dict[StartedProcess, Output] = {}

    @property
    def groups(self) -> frozenset[int]:
        """Process groups that may still have members."""
        return frozenset(self._groups)

    async def run(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str],
        cwd: Path,
        on_stdout: OnText,
        on_stderr: OnText,
        stdin: str | bytes | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> ProcessResult:
        """Run one process to its end. ``env`` is its whole environment.

        Output arrives as chunks of text (UTF-8, invalid bytes replaced). Cancellation ends the group first. Raises what
        :meth:`NodeContext.run_process` says, and whatever a handler raised.
        """
        output = Output(on_stdout, on_stderr)
        await self._confinement.prepare()
        command = self._confinement.command
        starting = asyncio.ensure_future(
            spawn(argv, env=env, cwd=cwd, stdin=stdin, output=output, command=command, start=self._start)
        )
        cancelled = await _until_started(starting)
        process = starting.result()
        self._open[process] = output
        group = self._begin(process)
        try:
            if cancelled:
                raise cancelled
            await _wait(output, timeout, process.age, os.fspath(argv[0]))
        except BaseException:
            if group:
                await self._end(group)
            await _drain(output)  # its last words
            self._shut(process)
            raise
        if output.drained.done():
            self._shut(process)
        if group:
            self._forget_if_empty(group)
        return _result(process.code or 0)

    async def close(self) -> None:
        """End every process that the step left behind, and stop reading what they print."""
        try:
            await asyncio.gather(*map(self._end, self._groups))
            await asyncio.gather(*map(_drain, self._open.values()))
        finally:
            for process in tuple(self._open):
                self._shut(process)

    def _begin(self, process: StartedProcess) -> int | None:
        group = process.group
        if group:
            self._groups.add(group)
            if self._on_start:
                self._on_start(group)
        return group

    def _shut(self, process: StartedProcess) -> None:
        process.close()
        del self._open[process]

    async def _end(self, group: int) -> None:
        await end_group(group, self._grace, self._confinement.signal)
        self._forget_if_empty(group)

    def _forget_if_empty(self, group: int) -> None:
        if group in self._groups and not group_alive(group):
            self._groups.discard(group)
            if self._on_end:
                self._on_end(group)


async def _until_started(starting: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """A cancel that comes while a process starts waits until it has started: half-way, asyncio would leak its pipes."""
    cancelled = None
    while not starting.done():
        try:
            await asyncio.wait({starting})
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def _wait(output: Output, seconds: float | None, age: float, program: str) -> None:
    limit = asyncio.timeout(None if seconds is None else seconds - age)
    try:
        async with limit:
            await asyncio.shield(output.exited)
            await _drain(output)
            if output.failure:
                raise output.failure
    except TimeoutError:
        if not limit.expired():  # a handler's own
            raise
        message = f"{program} did not end within {seconds:g} seconds and was killed"
        raise NodeTimeout(message, details={"timeout": seconds}) from None


async def _drain(output: Output) -> None:
    """Read to the end of the output. Background processes that hold the pipes open are read on, but not awaited."""
    start = output.received
    seen = -1
    while not output.drained.done() and output.received != seen and output.received - start <= _PIPE:
        seen = output.received
        await asyncio.wait((output.drained,), timeout=_DRAIN)


def _result(code: int) -> ProcessResult:
    if code >= 0:
        return ProcessResult(exit_code=code)
    return ProcessResult(exit_code=128 - code, signal=-code)
