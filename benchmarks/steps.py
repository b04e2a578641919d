"""Time per sequential step that does nothing, against a hand-written Temporal workflow with the same activities.

Waterflow's side is all of it: run, job child, claim, journal, log spool, encryption. Both sides have the same places:
see `_rig`. A second reference encrypts its payloads as Waterflow does; the bar is against the one that does not.

Two lengths tell what a step costs from what a run costs: starting and ending one (a run, its job, a claim) takes the
same for 50 steps as for 250.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable

from ._host import GROUP, NODE
from ._report import Figure, Report, interleaved, pair_ratio
from ._rig import Rig, compiled, rig

SHORT, LONG = 50, 250
PAIRS = {SHORT: 7, LONG: 15}
"""More of those that the bar is for: on a shared machine single ratios lie a tenth and more to either side."""

OURS, HAND, SEALED = "waterflow", "by hand", "by hand, encrypted"


def workflow(steps: int) -> str:
    """A job that any one agent takes, with so many steps."""
    return f"name: steps\njobs:\n  job:\n    runs-on: {GROUP}\n    steps:\n" + f"      - uses: {NODE}\n" * steps


async def measure() -> dict[int, dict[str, list[float]]]:
    """Seconds of each run, by its length and side."""
    async with rig(sealed=True) as both:
        return {steps: await interleaved(_sides(both, steps), pairs, warm_up=2) for steps, pairs in PAIRS.items()}


def _sides(both: Rig, steps: int) -> dict[str, Callable[[], Awaitable[float]]]:
    plan = compiled(workflow(steps))
    return {
        OURS: lambda: both.waterflow(plan),
        HAND: lambda: both.hand_written(steps),
        SEALED: lambda: both.hand_written_sealed(steps),
    }


def main() -> int:
    report = Report(
        f"steps: {LONG} and {SHORT} sequential steps that do nothing, {PAIRS[LONG]} and {PAIRS[SHORT]} pairs of runs"
    )
    measured = asyncio.run(measure())
    for side in (OURS, HAND, SEALED):
        short, long = (statistics.median(measured[steps][side]) for steps in (SHORT, LONG))
        each = (long - short) / (LONG - SHORT)
        report.figure(Figure(name=f"a further step, {side}", value=each * 1000, unit=" ms"))
        report.figure(Figure(name=f"a run without steps, {side}", value=(short - SHORT * each) * 1000, unit=" ms"))
    for steps, bar in ((LONG, 1.2), (SHORT, None)):
        ours, by_hand, sealed = (measured[steps][side] for side in (OURS, HAND, SEALED))
        goal = 1.05 if bar else None
        name = f"a run of {steps} steps against the hand-written workflow"
        report.figure(Figure(name=name, value=pair_ratio(ours, by_hand), unit="×", bar=bar, goal=goal))
        low, _, high = statistics.quantiles([one / other for one, other in zip(ours, by_hand, strict=True)], n=4)
        report.note(f"  … the middle half of these pairs: {low:.2f} to {high:.2f}×")
        report.figure(Figure(name="  … with encryption", value=pair_ratio(ours, sealed), unit="×"))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
