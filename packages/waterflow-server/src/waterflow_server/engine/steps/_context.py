"""What the steps of a job instance share: its contexts, environment, place and whether something failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import StepPlan
from waterflow_dsl.reads import named
from waterflow_sdk.node import Masker
from waterflow_sdk.secrets import holds_segment
from waterflow_sdk.wire import AgentRef, ErrorInfo, State, StepState

from .._clock import durable_now
from .._values import StepFailure, Values
from .._wire import JobInput, JobMemory, ResumePoint
from ..memory._carried import recall_attempts, unanswered
from ..memory._records import AttemptRecord, StepRecord
from ..memory._rollover import RollOver
from ..signals._gate import Gate
from ..signals._inbox import Inbox
from ..signals._notes import Notes
from ..signals._stop import Stop

STOPPED = "the job was stopped before it"


class Scope:
    """What a list of steps sees of itself: whether one failed, results by step id, names bound by loops.

    ``completed`` are the steps that succeeded in the whole job, each with the scope of its iteration.
    """

    def __init__(
        self, *, failed: bool = False, steps: dict[str, Any] | None = None, names: dict[str, Any] | None = None
    ) -> None:
        self.failed = failed
        self.steps: dict[str, Any] = {} if steps is None else steps
        self.names: dict[str, Any] = names or {}
        self.completed: list[tuple[StepPlan, StepRecord, Scope]] = []

    def fail(self, record: StepRecord) -> None:
        """This step makes the list that it is in fail."""
        self.failed = record.broke = True

    def complete(self, step: StepPlan, record: StepRecord) -> None:
        """This step has succeeded: it is undone should the job fail."""
        self.completed.append((step, record, self))

    def nested(self, **names: Any) -> Scope:
        """A scope inside this one that starts from what is known here and keeps its own results."""
        inner = Scope(failed=self.failed, steps=dict(self.steps), names={**self.names, **names})
        inner.completed = self.completed
        return inner


class JobContext:
    """The changing state of one job instance. ``env``, ``vars`` and ``paths`` grow as steps set them."""

    def __init__(self, given: JobInput, stop: Stop) -> None:
        self.given = given
        self.stop = stop
        self.agent: AgentRef | None = given.agent
        self.masks: list[str] = []
        self._masker: Masker | None = None
        self.needed_secrets = _needed_secrets(given)
        self.completions = 0
        self.attempts: dict[str, list[AttemptRecord]] = {}
        self.begin()
        memory = given.memory
        self.roll = RollOver(given.history_events)
        self.gate = Gate(stop, given.paused, memory.pauses if memory else ())
        self.inbox = Inbox(given.events, memory.answers if memory else {})
        for asked in unanswered(memory) if memory else ():
            self.inbox.ask(asked.path, asked.approvers)
        self.notes = Notes(given.job.id, given.instance, given.notes, memory.told if memory else 0)
        if memory is not None:
            self._remember(memory)
        elif given.resume is not None:
            self._go_on(given.resume)

    def mask(self, value: Any) -> Any:
        """JSON data that people will see, with secrets masked. Agents mask what steps give; this is for what the
        interpreter itself makes of expressions."""
        if self._masker is None:
            self._masker = Masker(self.given.secrets.values())
        self._masker.add(*self.masks)
        return self._masker.mask_data(value)

    def mask_error(self, error: ErrorInfo) -> ErrorInfo:
        """The error with secrets masked."""
        return msgspec.structs.replace(error, message=self.mask(error.message), details=self.mask(error.details))

    def begin(self) -> None:
        """As at the start of the job; a retry of the whole job begins anew."""
        self.halted = ""
        """Why ``stop`` ends the job's steps: what runs ends, nothing more begins."""
        self.env: dict[str, str] = dict(self.given.env)
        self.vars: dict[str, Any] = {}
        self.paths: list[str] = []
        self.kept: dict[str, StepState] = {}

    def _go_on(self, point: ResumePoint) -> None:
        """As an earlier run left it."""
        self.env, self.vars, self.paths = dict(point.env), dict(point.vars), list(point.paths)
        self.kept = {step.path: step for step in point.steps}

    def _remember(self, memory: JobMemory) -> None:
        """As the last run of the workflow left it."""
        self.env, self.vars, self.paths = dict(memory.env), memory.vars, memory.paths
        self.masks, self.agent, self.completions = memory.masks, memory.agent, memory.completions
        self.halted = memory.halted
        self.attempts = {path: recall_attempts(found) for path, found in memory.attempts.items()}

    def halt(self, reason: str) -> None:
        """``stop``: what runs ends, nothing more of the job's steps begins. Jobs that never roll over do not wait."""
        if self.roll.bounded:
            self.halted = reason or STOPPED

    def next_order(self) -> int:
        """The place of a step in the order in which steps succeed, from 1."""
        self.completions += 1
        return self.completions

    async def sleep_until(self, moment: float) -> bool:
        """A durable timer, over roll-overs; false when a stop cut it short. ``moment``: seconds since 1970."""
        with self.roll.resting():
            return await self.stop.sleep(max(moment - workflow.time(), 0.0))

    async def may_start(self) -> None:
        """Wait until something new may start: for a roll-over that is due, and while the run is paused."""
        await self.roll.passed()
        with self.roll.resting():
            await self.gate.passed()

    def values(self, scope: Scope, *, env: dict[str, str] | None = None) -> Values:
        """An evaluator for this instant."""
        return Values(
            {
                **self.given.contexts,
                "vars": {**self.given.contexts.get("vars", {}), **self.vars},
                "secrets": self.given.secrets,
                "env": self.env if env is None else env,
                "steps": scope.steps,
                "job": {"status": self._status(scope)},
                "agent": self._agent(),
                "runner": self._agent(),
                **scope.names,
            },
            self._functions(scope),
        )

    def _status(self, scope: Scope) -> str:
        if self.stop.cancelled:
            return "cancelled"
        return "failure" if scope.failed else "success"

    def _agent(self) -> dict[str, Any]:
        return {} if self.agent is None else {"id": self.agent.id, "name": self.agent.name}

    def _functions(self, scope: Scope) -> dict[str, Callable[..., object]]:
        stopped = self.stop.cancelled
        return {
            "success": lambda: not scope.failed and not stopped,
            "failure": lambda: scope.failed,
            "cancelled": lambda: stopped,
            "always": lambda: True,
            "hashFiles": _no_hash_files,
            "now": durable_now,
        }

    def attempts_of(self, path: str) -> list[AttemptRecord]:
        """The attempts of a step so far. They outlive a retry of the whole job: their numbers only grow, because an
        attempt's number is part of its identity.
        """
        return self.attempts.setdefault(path, [])

    def set_vars(self, values: Mapping[str, Any]) -> None:
        """``vars/set``: for the later steps of this job."""
        self.vars = {**self.vars, **values}

    async def tell(self, state: State, reason: str) -> None:
        """Let the run know that this job waits, or goes on, so that the run shows it too."""
        await self.notes.tell(state, reason)

    def absorb(self, env: dict[str, str | None], paths: list[str], masks: list[str]) -> None:
        """Take over what a step changed for the later ones."""
        for name, value in env.items():
            if value is None:
                self.env.pop(name, None)
            else:
                self.env[name] = value
        self.paths = [*paths, *self.paths]
        self.masks = [*self.masks, *(mask for mask in masks if mask not in self.masks)]

    def job_state(self, scope: Scope) -> State:
        """How the steps so far make the job end."""
        if scope.failed:
            return State.FAILED
        return self.stop.state or State.SUCCESS


def _no_hash_files(*_patterns: object) -> object:
    raise StepFailure("hash-files", "hashFiles() cannot be answered in this field")


def _needed_secrets(given: JobInput) -> list[str]:
    """The secrets that the job reads, where agents have to read any."""
    if not any(map(holds_segment, given.secrets.values())):
        return []
    names = named(given.job, "secrets")
    return sorted(given.secrets if names is None else names)
