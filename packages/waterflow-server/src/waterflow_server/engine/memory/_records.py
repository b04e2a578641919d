"""What is known of a job's steps and attempts while it runs; turned into the state tree when asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from waterflow_sdk.wire import AgentRef, ApprovalState, AttemptState, ErrorInfo, Interval, LogRef, State, StepState

from .._progress import Progress


@dataclass(slots=True)
class AttemptRecord:
    """One attempt; ``lost`` counts deliveries beyond the first."""

    number: int
    agent: AgentRef | None = None
    state: State = State.QUEUED
    reason: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    error: ErrorInfo | None = None
    log: LogRef | None = None
    lost: int = 0

    def snapshot(self) -> AttemptState:
        """As shown outside."""
        return AttemptState(
            number=self.number,
            state=self.state,
            agent=self.agent,
            started=self.started,
            ended=self.ended,
            exit_code=self.exit_code,
            error=self.error,
            log=self.log,
            lost=self.lost,
            reason=self.reason,
        )


@dataclass(slots=True)
class StepRecord:
    """A step or block. ``state`` is the outcome; ``conclusion`` differs from it under continue-on-error.

    ``branches`` are the lists of steps in a block, one for each branch or iteration that has begun. ``progress`` is
    what it decided when it began. ``broke``: it made the steps around it fail. ``order`` is its place in the order in
    which steps succeeded, 0 without one. ``kept``: a retry took it over from an earlier run.
    """

    path: str
    id: str | None
    name: str
    node: str
    state: State = State.PENDING
    conclusion: State | None = None
    reason: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    error: ErrorInfo | None = None
    attempts: list[AttemptRecord] = field(default_factory=list[AttemptRecord])
    branches: list[list[StepRecord]] = field(default_factory=list[list["StepRecord"]])
    waits: list[Interval] = field(default_factory=list[Interval])
    approval: ApprovalState | None = None
    progress: Progress | None = None
    broke: bool = False
    order: int = 0
    kept: bool = False

    def children(self) -> Iterator[StepRecord]:
        """What is in it, in the order of the branches."""
        return (child for branch in self.branches for child in branch)

    def begin(self, now: datetime) -> None:
        """The step has started."""
        self.state = State.RUNNING
        self.started = now

    def wait(self, now: datetime, reason: str) -> None:
        """The step waits for somebody or something outside; one that waited already, before a roll-over, waits on."""
        if self.state is State.WAITING:
            return
        self.state, self.reason = State.WAITING, reason
        self.waits.append(Interval(since=now, reason=reason))

    def go_on(self, now: datetime) -> None:
        """It has come, or is waited for no longer."""
        self.state, self.reason = State.RUNNING, ""
        self.waits[-1] = Interval(since=self.waits[-1].since, until=now, reason=self.waits[-1].reason)

    def end(self, state: State, now: datetime, *, reason: str = "", error: ErrorInfo | None = None) -> None:
        """The step has ended; its conclusion is its state until something says otherwise."""
        self.state = self.conclusion = state
        self.ended = now
        self.reason = reason
        self.error = error
        self.progress = self.progress.closed() if self.progress is not None and self.branches else None

    def waiting(self) -> StepRecord | None:
        """The first step in here that waits for somebody or something outside."""
        if self.state is State.WAITING:
            return self
        return next((found for child in self.children() if (found := child.waiting())), None)

    def context(self) -> dict[str, Any]:
        """What expressions see as ``steps.<id>``."""
        return {
            "outputs": self.outputs,
            "outcome": self.state.result,
            "conclusion": (self.conclusion or self.state).result,
        }

    def snapshot(self, *, deep: bool = True) -> StepState:
        """As shown outside; ``deep`` with everything below it."""
        return StepState(
            path=self.path,
            name=self.name,
            state=self.state,
            id=self.id,
            node=self.node,
            conclusion=self.conclusion,
            reason=self.reason,
            started=self.started,
            ended=self.ended,
            outputs=self.outputs,
            error=self.error,
            attempts=[attempt.snapshot() for attempt in self.attempts],
            steps=[child.snapshot() for child in self.children()] if deep else [],
            waits=list(self.waits),
            approval=self.approval,
        )
