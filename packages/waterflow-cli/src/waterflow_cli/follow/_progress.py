"""How far each host is: put together from the run's state (twice a second) and its log (at once)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from waterflow_sdk.wire import JobState, LogEventKind, LogLine, LogStreamKind, RunState, State

from .._format import error_text


class HostProgress(msgspec.Struct):
    """One job instance on its host.

    ``ended_steps`` of ``steps`` (0 = not known how many) are done; ``percent`` is what the current step says of itself.
    """

    job: str
    instance: str
    host: str = ""
    state: State = State.PENDING
    step: str = ""
    percent: float | None = None
    steps: int = 0
    ended_steps: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""

    @property
    def share(self) -> float | None:
        """The part that is done, from 0 to 1; None when it cannot be known."""
        if self.state.ended:
            return 1.0
        if not self.steps:
            return None
        return min((self.ended_steps + (self.percent or 0) / 100) / self.steps, 1.0)


class Progress:
    """All hosts of a run. ``steps`` gives the number of steps of a job, where the file is known."""

    def __init__(self, steps: Mapping[str, int] | None = None) -> None:
        self.run: RunState | None = None
        self.hosts: dict[str, HostProgress] = {}
        self._steps = steps or {}
        self._names: dict[tuple[str, str], str] = {}
        self._done: dict[str, set[str]] = {}

    def update(self, run: RunState) -> None:
        """Take over a newer state."""
        self.run = run
        for job in run.jobs:
            self._update_job(job)

    def _update_job(self, job: JobState) -> None:
        row = self._row(job.instance)
        row.job = job.id
        row.steps = row.steps or self._steps.get(job.id, 0)
        row.host = job.agent.name if job.agent else row.host
        row.state, row.started, row.ended = job.state, job.started, job.ended
        row.error = error_text(job.error, job.reason)
        if job.state.ended:
            row.step, row.percent = "", None

    def hear(self, lines: Iterable[LogLine]) -> None:
        """Take in what the log says of steps."""
        for line in lines:
            if line.stream is LogStreamKind.EVENT:
                self._hear_event(line)

    def _hear_event(self, line: LogLine) -> None:
        row = self._row(line.job)
        if line.event is LogEventKind.STEP_STARTED:
            self._names[line.job, line.step] = str(line.data.get("name") or line.data.get("node") or line.step)
            row.step, row.percent = self.step_name(line), None
        elif line.event is LogEventKind.STEP_ENDED:
            done = self._done.setdefault(line.job, set())
            done.add(_top(line.step))
            row.ended_steps, row.percent = len(done), None
        elif line.event is LogEventKind.PROGRESS:
            percent = line.data.get("percent")
            row.percent = float(percent) if isinstance(percent, int | float) else None

    def _row(self, instance: str) -> HostProgress:
        if instance not in self.hosts:
            job = instance.partition("[")[0]
            self.hosts[instance] = HostProgress(job=job, instance=instance, steps=self._steps.get(job, 0))
        return self.hosts[instance]

    def knows(self, instance: str) -> bool:
        """Whether the host of a job instance is known by name."""
        row = self.hosts.get(instance)
        return row is not None and bool(row.host)

    def job(self, line: LogLine) -> str:
        """The job that a line belongs to; its matrix or item too, but not the host, which is shown beside it."""
        row = self.hosts.get(line.job)
        return row.job if row else line.job

    def host(self, line: LogLine) -> str:
        """The name of the host that a line comes from."""
        row = self.hosts.get(line.job)
        return row.host if row and row.host else line.agent

    def step_name(self, line: LogLine) -> str:
        """The name of the step that a line comes from."""
        return self._names.get((line.job, line.step), line.step)


def _top(path: str) -> str:
    """The step of the job that a step path lies in: ``steps[2]`` of ``steps[2].then[0]``."""
    return path.partition(".")[0]
