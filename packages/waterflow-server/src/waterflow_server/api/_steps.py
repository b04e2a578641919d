"""From what people call a step to where it is in a run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from waterflow_sdk.wire import LogLine, RunState, StepState

from ..logs import RunReader, within

_AGAIN = 0.5  # seconds; while Temporal is away nobody knows what a step is called


class NamedStep:
    """The steps of a run that have this id or name; a path stands for itself, with its job before it or of any job.

    A step is known once it has begun, so whoever follows a log asks again when another one writes.
    """

    def __init__(self, read: RunReader, step: str) -> None:
        self._read = read
        self._step = step
        self._seen: set[tuple[str, str]] = set()
        job, _, path = step.rpartition("/")
        self._is_path = "[" in path
        self.steps = frozenset({(job, path)})
        """Job and path of each, as a :class:`LogQuery` takes them."""

    async def look(self) -> None:
        """Find them in the run as it is now. Raises RunNotFound."""
        while not self._is_path:
            run = await self._read(True)
            if run is not None:
                self.steps = frozenset(_called(run, self._step)) or self.steps
                return
            await asyncio.sleep(_AGAIN)

    async def lines_of(self, lines: Sequence[LogLine]) -> list[LogLine]:
        """Those lines that are of these steps. Raises RunNotFound."""
        writers = {(line.job, line.step) for line in lines}
        if writers - self._seen:
            await self.look()
            self._seen |= writers
        own = {writer for writer in writers if within(*writer, self.steps)}
        return [line for line in lines if (line.job, line.step) in own]


def _called(run: RunState, step: str) -> Iterator[tuple[str, str]]:
    for job in run.jobs:
        for each in _steps(job.steps):
            if step in (each.id, each.name):
                yield job.instance, each.path


def _steps(steps: Sequence[StepState]) -> Iterator[StepState]:
    for step in steps:
        yield step
        yield from _steps(step.steps)
