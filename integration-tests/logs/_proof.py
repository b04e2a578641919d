"""The proof: numbered lines from several agents while server, agents and Temporal are killed.

A follower that began before the first line, the log store read afterwards, and the agents' spools must tell the same:
in each stream every number once, one after the other; in those of attempts that succeeded, all numbers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import Agent, Site
from harness.files import files_below

from waterflow_sdk.client import Run
from waterflow_sdk.wire import AttemptState, RunState, State, StepState

from ._tally import Tally, tally_of_spool

_THROUGH = 3.0  # seconds without a new line after which the agents have nothing more to print
_STARTED_AT_ONCE = 4

_WORKFLOW = """
name: numbered
jobs:
  count:
    runs-on: {group: web, target: all}
    offline: {wait: 120s}
    agent-loss: {policy: wait}
    steps:
      - name: count
        heartbeat-timeout: 5s
        env: {BATCHES: "%d", SIZE: "%d", PAUSE: "%s", HOLD: "%d", GATE: "%s"}
        run: |
          i=0
          while [ $i -lt "$BATCHES" ]; do
            seq $((i * SIZE + 1)) $((i * SIZE + SIZE))
            i=$((i + 1))
            sleep "$PAUSE"
            [ $i -ne "$HOLD" ] || while [ ! -e "$GATE" ]; do sleep 0.1; done
          done
"""


@dataclass(frozen=True, kw_only=True)
class Blow:
    """``kill -9`` of the targets, all before any comes back, when the follower has seen that part of all lines.

    ``spooled``: before they come back, wait until the other agents have spooled so many lines more.
    """

    at: float
    targets: Sequence[str]
    spooled: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``agents`` print ``batches`` times ``size`` lines each, with so many seconds between two batches.

    They hold after three quarters until all blows are dealt: whatever is killed is killed in the middle. The follower
    may be without a line for ``silence`` seconds: several blows may be dealt before it gets the next one.
    """

    agents: Sequence[str]
    batches: int
    size: int
    pause: float
    blows: Sequence[Blow]
    silence: float = 120.0

    @property
    def each(self) -> int:
        """Lines of one agent."""
        return self.batches * self.size

    @property
    def lines(self) -> int:
        """Lines of all agents, attempts that were interrupted not counted."""
        return self.each * len(self.agents)


@dataclass
class Proof:
    """What came out; ``problems`` is empty when every line was there once and in order. ``seconds`` to the end."""

    lines: int = 0
    streams: int = 0
    interrupted: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        return (
            f"{self.lines:,} lines in {self.streams} streams ({self.interrupted} of interrupted attempts), "
            f"{self.seconds:.1f} s, {self.lines / self.seconds if self.seconds else 0:,.0f} lines/s: "
            f"{'WRONG' if self.problems else 'each once and in order'}"
        )


async def start_agents(site: Site, agents: Sequence[str]) -> None:
    """Start them a few at a time: a small machine has few cores."""
    for first in range(0, len(agents), _STARTED_AT_ONCE):
        some = agents[first : first + _STARTED_AT_ONCE]
        for name in some:
            site.start_agent(name)
        await site.until_online(*some)


async def prove(site: Site, plan: Plan) -> Proof:
    """Run the plan on a site whose agents are all online."""
    began = time.monotonic()
    gate = site.root / "all-blows-are-dealt"
    run = await site.submit(_WORKFLOW % (plan.batches, plan.size, plan.pause, plan.batches * 3 // 4, gate))
    followed, state = Tally(), None
    proof = Proof()
    async with asyncio.TaskGroup() as tasks:
        blows = tasks.create_task(_Blows(site, plan).deal(followed, gate))
        proof.problems += await _follow(run, followed, plan.silence)
        if not blows.done():
            blows.cancel()
            proof.problems.append("the log ended before everything had been killed")
    state = await run.wait(60.0)
    proof.seconds = time.monotonic() - began
    stored = await _stored(run)
    proof.problems += _problems(site, plan, state, followed, stored)
    proof.lines, proof.streams = stored.lines, len(stored.streams)
    proof.interrupted = sum(attempt.state is not State.SUCCESS for attempt in _attempts(state))
    return proof


async def _follow(run: Run, tally: Tally, silence: float) -> list[str]:
    """To the end of the run; what the end says to be missing."""
    async with run.logs(follow=True) as log:
        while True:
            async with asyncio.timeout(silence):
                batch = await log.next_batch()
            if not batch:
                break
            tally.take_lines(run.id, batch)
    assert log.end is not None
    return [f"the end of the followed log says that more was written: {name}" for name in log.end.missing or ()]


async def _stored(run: Run) -> Tally:
    tally = Tally()
    async with run.logs() as log:
        while batch := await log.next_batch():
            tally.take_lines(run.id, batch)
    return tally


def _problems(site: Site, plan: Plan, state: RunState, followed: Tally, stored: Tally) -> Iterator[str]:
    yield from (f"followed: {problem}" for problem in followed.problems)
    yield from (f"stored: {problem}" for problem in stored.problems)
    yield from (f"followed and stored: {problem}" for problem in followed.difference(stored))
    spooled = Tally()
    for agent in site.agents.values():
        spooled.streams |= tally_of_spool(agent.state_dir / "logs", state.id).streams
    yield from (f"spooled and stored: {problem}" for problem in spooled.difference(stored))
    if state.state is not State.SUCCESS:
        yield f"the run is {state.state.value}"
    whole = [stream.lines for stream in stored.streams.values() if stream.lines == plan.each]
    if len(whole) != len(plan.agents):
        yield f"{len(whole)} streams have all {plan.each} lines; there are {len(plan.agents)} agents"


def _attempts(state: RunState) -> Iterator[AttemptState]:
    for job in state.jobs:
        for step in job.steps:
            yield from _of_step(step)


def _of_step(step: StepState) -> Iterator[AttemptState]:
    yield from step.attempts
    for inner in step.steps:
        yield from _of_step(inner)


class _Blows:
    """Deals the blows when the follower has come so far."""

    def __init__(self, site: Site, plan: Plan) -> None:
        self._site = site
        self._plan = plan

    async def deal(self, followed: Tally, gate: Path) -> None:
        """All of them, one after the other; then the gate is opened."""
        for blow in self._plan.blows:
            while followed.lines < blow.at * self._plan.lines:
                await asyncio.sleep(0.02)
            await self._strike(blow)
        await asyncio.to_thread(gate.touch)

    async def _strike(self, blow: Blow) -> None:
        site = self._site
        for target in blow.targets:
            if target == "server":
                site.kill_server()
            elif target == "temporal":
                site.temporal.kill()
            else:
                site.agents[target].kill()
        await self._until_spooled(blow)
        for target in blow.targets:
            if target == "temporal":
                await site.temporal.restart()
            elif target != "server":
                site.start_agent(target)
        if "server" in blow.targets:
            await site.start_server()

    async def _until_spooled(self, blow: Blow) -> None:
        """The others go on writing meanwhile: what they spool is shipped later. Some may be through already."""
        others = [agent for name, agent in self._site.agents.items() if name not in blow.targets]
        begun = seen = _lines(others)
        grown = time.monotonic()
        while seen < begun + blow.spooled and time.monotonic() - grown < _THROUGH:
            await asyncio.sleep(0.1)
            if (now := _lines(others)) != seen:
                seen, grown = now, time.monotonic()


def _lines(agents: Sequence[Agent]) -> int:
    return sum(_count(path) for agent in agents for path in files_below(agent.state_dir / "logs"))


def _count(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:  # filed away meanwhile
        return 0
