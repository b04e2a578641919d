"""One job of a run: its instances, what it became, and what ``needs`` shows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import JobState, RolloutState, State

FAILED = frozenset({State.FAILED, State.TIMED_OUT})


class Rollout(Protocol):
    """What a job's rollout says of itself."""

    def state(self) -> RolloutState:
        """For the state tree."""
        ...

    def conclusion(self) -> tuple[State, str]:
        """What the job came to, and why."""
        ...


@dataclass(slots=True)
class JobRecord:
    """One job of the plan. ``instances`` are in stable order; ``finished`` names them in the order they ended;
    ``gates`` are what stands between the batches of its rollout.
    """

    plan: JobPlan
    state: State = State.PENDING
    reason: str = ""
    ended: datetime | None = None
    name: str = ""
    instances: list[JobState] = field(default_factory=list[JobState])
    gates: list[JobState] = field(default_factory=list[JobState])
    finished: list[str] = field(default_factory=list[str])
    tolerated: bool = False
    rollout: Rollout | None = None
    shards: list[str] = field(default_factory=list[str])
    listeners: list[Callable[[JobState], None]] = field(default_factory=list[Callable[[JobState], None]])
    """Hear of every instance that has failed, some of them more than once."""
    _sharded: int = 0
    _places: dict[str, int] = field(default_factory=dict[str, int])
    _seen: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def result(self) -> str:
        """``needs.<job>.result``; a failure that continue-on-error tolerates counts as success."""
        return "success" if self.tolerated else self.state.result

    def skip(self, state: State, reason: str, now: datetime) -> None:
        """End without any instance."""
        self.state, self.reason, self.ended = state, reason, now

    def update(self, instance: JobState) -> None:
        """Put in what an instance or gate has become."""
        if instance.state.ended and instance.instance in self._index():
            self.finished.append(instance.instance)
        self._put(instance)

    def note(self, name: str, state: State, reason: str) -> None:
        """An instance says that it waits, or goes on; a shard says that one has failed."""
        known = self._known(name)
        if known is not None and not known.state.ended:
            self._put(msgspec.structs.replace(known, state=state, reason=reason))

    def next_shard(self) -> int:
        """The number of the job's next shard, from 1."""
        self._sharded += 1
        return self._sharded

    def state_of(self, instance: str) -> State:
        """What an instance is now."""
        return self.instances[self._index()[instance]].state

    def _index(self) -> dict[str, int]:
        if len(self._places) != len(self.instances):
            self._places = {instance.instance: place for place, instance in enumerate(self.instances)}
        return self._places

    def _known(self, name: str) -> JobState | None:
        place = self._index().get(name)
        if place is not None:
            return self.instances[place]
        return next((gate for gate in self.gates if gate.instance == name), None)

    def _put(self, state: JobState) -> None:
        known = self._known(state.instance)
        if known is None:
            return
        state = msgspec.structs.replace(state, batch=known.batch, gate=known.gate)
        if known.gate:
            self.gates = [state if gate.instance == state.instance else gate for gate in self.gates]
        else:
            self.instances[self._index()[state.instance]] = state
            for listener in self.listeners if state.state in FAILED else ():
                listener(state)

    def conclude(self) -> None:
        """The job's state follows from its instances: the worst of them. A rollout bears some failures."""
        if self.rollout is not None:
            self.state, self.reason = self.rollout.conclusion()
        else:
            self.state = worst({instance.state for instance in self.instances})

    def context(self) -> dict[str, Any]:
        """``needs.<job>``: outputs of the instance that finished last, results of all in stable order."""
        if self._seen:
            return self._seen
        last = self._known(self.finished[-1]) if self.finished else None
        seen = {
            "result": self.result,
            "outputs": last.outputs if last else {},
            "results": [_result(instance) for instance in self.instances],
        }
        if self.state.ended:  # asked for once for each instance of the jobs that need this one
            self._seen = seen
        return seen

    def states(self) -> list[JobState]:
        """For the state tree: the instances, or the job itself while it has none."""
        if self.instances:
            return [*self.instances, *self.gates]
        return [
            JobState(
                id=self.plan.id,
                instance=self.plan.id,
                name=self.name or self.plan.id,
                state=self.state,
                reason=self.reason,
                ended=self.ended,
            )
        ]


def worst(states: set[State]) -> State:
    """The worst of these states; skipped where there are none."""
    order = (State.FAILED, State.TIMED_OUT, State.CANCELLED, State.SUCCESS)
    return next((state for state in order if state in states), State.SKIPPED)


def _result(instance: JobState) -> dict[str, Any]:
    return {
        "agent": instance.agent.name if instance.agent else None,
        "result": instance.state.result,
        "outputs": instance.outputs,
        "error": instance.error.message if instance.error else None,
        "matrix": instance.matrix,
        "item": instance.item,
    }
