"""Time per sequential step that does nothing, against a hand-written Temporal workflow with the same activities.

Waterflow's side is all of it: run, job child, claim, journal, log spool, encryption. Both sides have the same places:
see `_rig`. A second reference encrypts its payloads as Waterflow does; the bar is against the one that does not.
"""

from __future__ import annotations

import asyncio
import statistics
import sys

from ._host import GROUP, NODE
from ._report import Figure, Report, interleaved, pair_ratio
from ._rig import compiled, rig

STEPS = 50
PAIRS = 9


def workflow(steps: int) -> str:
    """A job that any one agent takes, with so many steps."""
    return f"name: steps\njobs:\n  job:\n    runs-on: {GROUP}\n    steps:\n" + f"      - uses: {NODE}\n" * steps


async def measure() -> dict[str, list[float]]:
    async with rig(sealed=True) as both:
        plan = compiled(workflow(STEPS))
        return await interleaved(
            {
                "waterflow": lambda: both.waterflow(plan),
                "by hand": lambda: both.hand_written(STEPS),
                "by hand, encrypted": lambda: both.hand_written_sealed(STEPS),
            },
            PAIRS,
            warm_up=2,
        )


def main() -> int:
    report = Report(f"steps: {STEPS} sequential steps that do nothing, {PAIRS} pairs")
    measured = asyncio.run(measure())
    for name, times in measured.items():
        milliseconds = statistics.median(times) / STEPS * 1000
        report.figure(Figure(name=f"time per step, {name}", value=milliseconds, unit=" ms"))
    ours = measured["waterflow"]
    against = pair_ratio(ours, measured["by hand"])
    report.figure(Figure(name="against the hand-written workflow", value=against, unit="×", bar=1.2, goal=1.05))
    sealed = pair_ratio(ours, measured["by hand, encrypted"])
    report.figure(Figure(name="against the hand-written workflow with encryption", value=sealed, unit="×"))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
