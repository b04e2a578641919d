"""One run on 100 agents, five steps each, against a hand-written workflow with 100 children on 100 task queues."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

from ._host import GROUP, NODE
from ._report import Figure, Report, interleaved, pair_ratio
from ._rig import compiled, rig

AGENTS = 100
PROCESSES = 4
STEPS = 5
PAIRS = 5

_HEAD = f"""\
name: fan-out
jobs:
  job:
    runs-on: {{group: {GROUP}, target: all}}
    steps:
"""
WORKFLOW = _HEAD + f"      - uses: {NODE}\n" * STEPS


async def measure(report: Report) -> dict[str, list[float]]:
    started = time.perf_counter()
    async with rig(AGENTS, PROCESSES) as both:
        seconds = time.perf_counter() - started
        report.note(f"Temporal and {AGENTS} agents in {PROCESSES} processes online after {seconds:.1f} s")
        plan = compiled(WORKFLOW)
        return await interleaved(
            {"waterflow": lambda: both.waterflow(plan), "by hand": lambda: both.hand_written_fan_out(STEPS)}, PAIRS
        )


def main() -> int:
    report = Report(f"fanout: {AGENTS} agents × {STEPS} steps in one run, {PAIRS} pairs")
    measured = asyncio.run(measure(report))
    for name, times in measured.items():
        report.figure(Figure(name=f"time of a run, {name}", value=statistics.median(times), unit=" s"))
    ours = measured["waterflow"]
    rate = AGENTS * STEPS / statistics.median(ours)
    report.figure(Figure(name="steps a second, waterflow", value=rate, unit="/s", more_is_better=True))
    against = pair_ratio(ours, measured["by hand"])
    report.figure(Figure(name="against the hand-written workflow", value=against, unit="×", bar=1.3, goal=1.1))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
