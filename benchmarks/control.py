"""Control of runs on a stack that runs: from the moment that somebody says it until it has taken effect on the host.

Submits, answers and effects are measured by one clock: the stack's processes and this one share the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime

from waterflow_sdk.client import AsyncClient, Run
from waterflow_sdk.wire import AttemptState, RunState, State, StepState
from waterflow_server.dev import DevStack, StackSettings

from ._report import Figure, Report

ROUNDS = 11
WARM_UP = 2
BAR = 1000.0
FIRST_STEP_BAR = 250.0
_WITHIN = 60.0
_LOOK_AGAIN = 0.01

LONG = "jobs: {work: {runs-on: local, steps: [{run: exec sleep 600}]}}"
APPROVED = "jobs: {work: {runs-on: local, steps: [{uses: approval, with: {message: Go on?}}, {run: 'true'}]}}"
BUSY = "jobs: {work: {runs-on: local, steps: [{while: 'true', max-iterations: 100000, steps: [{run: 'true'}]}]}}"

Check = Callable[[RunState], bool]
Measure = Callable[[AsyncClient], Awaitable[float]]


async def first_step(client: AsyncClient) -> float:
    """From the submit until the first step runs."""
    sent = datetime.now(UTC)
    run = await client.submit(LONG)
    state = await _until(run, lambda state: any(_started(state)))
    await _end(run)
    return _milliseconds(sent, min(_started(state)))


async def cancel(client: AsyncClient) -> float:
    """Until the process of the running step has ended on its host."""
    run = await client.submit(LONG)
    await _until(run, lambda state: any(_started(state)))
    sent = datetime.now(UTC)
    await run.cancel("benchmark")
    state = await run.wait(_WITHIN)
    return _milliseconds(sent, max(_moments(await _full(run, state), "ended")))


async def pause(client: AsyncClient) -> float:
    """Until the last step has begun that still begins."""
    run = await client.submit(BUSY)
    await _until(run, lambda state: len(list(_started(state))) > 1)
    sent = datetime.now(UTC)
    await run.pause("benchmark")
    state = await _until(run, lambda state: state.state is State.PAUSED and not any(_running(state)))
    last = max(_started(state))
    await _end(run)
    return max(_milliseconds(sent, last), 0.0)


async def paused(client: AsyncClient) -> float:
    """Until the run says that it is paused."""
    run = await client.submit(BUSY)
    await _until(run, lambda state: any(_started(state)))
    sent = datetime.now(UTC)
    await run.pause("benchmark")
    await _until(run, lambda state: state.state is State.PAUSED)
    known = datetime.now(UTC)
    await _end(run)
    return _milliseconds(sent, known)


async def resume(client: AsyncClient) -> float:
    """Until the next step runs."""
    run = await client.submit(BUSY)
    await _until(run, lambda state: any(_started(state)))
    await run.pause("benchmark")
    state = await _until(run, lambda state: state.state is State.PAUSED and not any(_running(state)))
    before = len(list(_started(state)))
    sent = datetime.now(UTC)
    await run.resume()
    state = await _until(run, lambda state: len(list(_started(state))) > before)
    await _end(run)
    return _milliseconds(sent, sorted(_started(state))[before])


async def approve(client: AsyncClient) -> float:
    """Until the step behind the approval runs."""
    run = await client.submit(APPROVED)
    await _until(run, lambda state: state.state is State.WAITING)
    sent = datetime.now(UTC)
    await run.approve(by="benchmark")
    state = await run.wait(_WITHIN)
    return _milliseconds(sent, min(_started(await _full(run, state))))


MEASURES: dict[str, tuple[Measure, float]] = {
    "submit: the first step runs": (first_step, FIRST_STEP_BAR),
    "cancel: the running step has ended on its host": (cancel, BAR),
    "pause: the last step has begun": (pause, BAR),
    "pause: the run says so": (paused, BAR),
    "resume: the next step runs": (resume, BAR),
    "approve: the step behind it runs": (approve, BAR),
}


async def measure() -> dict[str, list[float]]:
    """Milliseconds, round by round."""
    measured: dict[str, list[float]] = {name: [] for name in MEASURES}
    async with DevStack(StackSettings(ephemeral=True, agents=1)) as stack, AsyncClient(stack.server_url) as client:
        for number in range(-WARM_UP, ROUNDS):
            for name, (once, _) in MEASURES.items():
                value = await once(client)
                if number >= 0:
                    measured[name].append(value)
    return measured


async def _until(run: Run, check: Check) -> RunState:
    async with asyncio.timeout(_WITHIN):
        while True:
            state = await run.status()
            if check(state):
                return state
            await asyncio.sleep(_LOOK_AGAIN)


async def _full(run: Run, ended: RunState) -> RunState:
    """With the steps, which the end alone does not tell."""
    return ended if ended.jobs[0].steps else await run.status()


async def _end(run: Run) -> None:
    await run.cancel("benchmark", force=True)
    await run.wait(_WITHIN)


def _milliseconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() * 1000


def _attempts(steps: list[StepState]) -> Iterator[AttemptState]:
    for step in steps:
        yield from step.attempts
        yield from _attempts(step.steps)


def _moments(state: RunState, name: str) -> Iterator[datetime]:
    for attempt in _attempts([step for job in state.jobs for step in job.steps]):
        if (moment := getattr(attempt, name)) is not None:
            yield moment


def _started(state: RunState) -> Iterator[datetime]:
    return _moments(state, "started")


def _running(state: RunState) -> Iterator[AttemptState]:
    return (each for each in _attempts([step for job in state.jobs for step in job.steps]) if each.ended is None)


def main() -> int:
    report = Report(f"control: what people say takes effect, {ROUNDS} rounds on a warm stack, medians")
    measured = asyncio.run(measure())
    for name, (_, bar) in MEASURES.items():
        report.figure(Figure(name=name, value=statistics.median(measured[name]), unit=" ms", bar=bar))
        report.note(f"  from {min(measured[name]):.0f} to {max(measured[name]):.0f} ms")
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
