"""Runs seeds, one after the other, on a site that lives through all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import Site

from waterflow_sdk.client import Run, WaterflowError
from waterflow_sdk.wire import LogLine
from waterflow_server.dev import DevError

from ._faults import Faults, revive
from ._generate import generate
from ._model import AGENTS, GROUP
from ._source import source
from ._verdict import Verdict

RUN_WITHIN = 150.0
_LOGS_WITHIN = 30.0


@dataclass
class Outcome:
    """How the run of one seed went; ``problems`` is empty when all was as the oracle says. Times are seconds.

    ``faults`` names what was killed, with a ``~`` in front what was frozen.
    """

    seed: int
    run: str = ""
    state: str = ""
    faults: list[str] = field(default_factory=list[str])
    attempts: int = 0
    interrupted: int = 0
    redelivered: int = 0
    lines: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        verdict = "ok" if not self.problems else "WRONG"
        figures = (
            f"{self.attempts:>4} attempts {self.interrupted:>3} interrupted {self.redelivered:>3} redelivered"
            f" {self.lines:>5} lines {self.seconds:>6.1f} s"
        )
        return f"{self.seed:>6}  {verdict:<5}  {self.state:<8} {figures}  faults: {' '.join(self.faults) or 'none'}"


async def campaign(root: Path, seeds: Sequence[int], tell: Callable[[Outcome], None]) -> list[Outcome]:
    """One run for each seed. ``root`` keeps the logs of all processes."""
    outcomes: list[Outcome] = []
    async with Site.create(root, agents=AGENTS, groups=[GROUP]) as site:
        for seed in seeds:
            outcomes.append(await run_seed(site, seed))
            tell(outcomes[-1])
            await site.until_online(*AGENTS)
    return outcomes


async def run_seed(site: Site, seed: int) -> Outcome:
    """The run of one seed, with its faults."""
    workflow, planned = generate(seed)
    effects = site.root / f"effects-{seed}"
    outcome = Outcome(seed)
    started = time.monotonic()
    try:
        run = await site.submit(source(workflow, str(effects)))
        outcome.run = run.id
        faults = Faults(site, planned)
        async with faults.while_inside():
            state = await run.wait(RUN_WITHIN)
        outcome.faults = [f"{'~' * fault.freeze}{fault.target}" for fault in faults.done]
        verdict = Verdict(workflow, state, faults.done)
        verdict.check_effects(effects.read_text().splitlines() if effects.exists() else [])
        lines = await _settled_logs(run, verdict)
        _note(outcome, verdict, lines)
        outcome.state, outcome.redelivered = state.state.value, verdict.redelivered
    except* (WaterflowError, DevError, AssertionError) as errors:
        outcome.problems += [f"{type(error).__name__}: {error}" for error in errors.exceptions]
    outcome.problems += await revive(site)
    outcome.seconds = time.monotonic() - started
    return outcome


async def _settled_logs(run: Run, verdict: Verdict) -> list[LogLine]:
    """The log once it has come in: agents ship it a moment after the run's end, or when the server is back."""
    deadline = time.monotonic() + _LOGS_WITHIN
    while True:
        lines = [line async for line in run.logs()]
        if verdict.logs_are_complete(lines) or time.monotonic() > deadline:
            return lines
        await asyncio.sleep(0.2)


def _note(outcome: Outcome, verdict: Verdict, lines: Sequence[LogLine]) -> None:
    verdict.check_logs(lines)
    outcome.attempts = len(verdict.attempts)
    outcome.interrupted = len(verdict.interrupted)
    outcome.lines = len(lines)
    outcome.problems = verdict.problems
