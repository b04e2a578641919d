"""``python -m chaos``: runs many seeds, or one again, and prints a table. Its exit code is 0 when all were right."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from ._campaign import Outcome, campaign


def main() -> int:
    """Run the seeds that were asked for."""
    parser = argparse.ArgumentParser(prog="chaos", description="Generated runs while processes are killed.")
    parser.add_argument("--seeds", type=int, default=50, help="how many (default: 50)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--seed", type=int, action="append", help="only this one; may be given again")
    parser.add_argument("--root", type=Path, help="directory for data and logs (default: a temporary one, which stays)")
    given = parser.parse_args()
    seeds = given.seed or range(given.first, given.first + given.seeds)
    root = given.root or Path(tempfile.mkdtemp(prefix="waterflow-chaos-"))
    root.mkdir(parents=True, exist_ok=True)
    print(f"logs of all processes: {root}", flush=True)
    started = time.monotonic()
    outcomes = asyncio.run(campaign(root, seeds, _tell))
    return _sum_up(outcomes, time.monotonic() - started)


def _tell(outcome: Outcome) -> None:
    print(outcome, flush=True)
    for problem in outcome.problems:
        print(f"        {problem}", flush=True)


def _sum_up(outcomes: list[Outcome], seconds: float) -> int:
    wrong = [outcome.seed for outcome in outcomes if outcome.problems]
    faults = sum(len(outcome.faults) for outcome in outcomes)
    attempts = sum(outcome.attempts for outcome in outcomes)
    interrupted = sum(outcome.interrupted for outcome in outcomes)
    print(f"{len(outcomes)} runs, {attempts} attempts, {faults} faults, {interrupted} interrupted, {seconds:.0f} s")
    if wrong:
        print(f"wrong: {wrong}; again: python -m chaos " + " ".join(f"--seed {seed}" for seed in wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
