"""Time to parse, validate and compile a file, and how it grows with the file."""

from __future__ import annotations

import itertools
import statistics
import sys
import time

from waterflow_dsl import check

from ._report import Figure, Report

LINES = (1_000, 10_000, 100_000)
STEP = """\
      - name: Step {id}
        run: |
          echo "host $HOST has ${{{{ vars.size }}}} of ${{{{ fromJSON('[1, 2, {id}]')[1] }}}}"
        env:
          HOST: ${{{{ format('{{0}}-{id}', agent.name) }}}}
        if: ${{{{ success() && vars.size > {id} }}}}
        timeout: 5m
        continue-on-error: false
"""
JOB = """\
  job-{number}:
    runs-on: servers
    timeout: 30m
    steps:
"""
STEPS_PER_JOB = 12
_ids = itertools.count(1)


def workflow(lines: int) -> str:
    """A plausible file of about that many lines: jobs of twelve steps, each with three expressions of their own.

    No two steps and no two files are alike, because what was seen before is cached and would flatter the figure.
    """
    parts = ["name: benchmark\nvars:\n  size: 10\njobs:\n"]
    written = 4
    jobs = 0
    while written < lines:
        jobs += 1
        parts.append(JOB.format(number=jobs))
        parts.extend(STEP.format(id=next(_ids)) for _ in range(STEPS_PER_JOB))
        written += JOB.count("\n") + STEPS_PER_JOB * STEP.count("\n")
    return "".join(parts)


def seconds_per_line(lines: int, rounds: int) -> float:
    """Median wall time of one check, by the number of lines in the file."""
    times: list[float] = []
    for _ in range(rounds):
        text = workflow(lines)
        started = time.perf_counter()
        result = check(text)
        times.append((time.perf_counter() - started) / text.count("\n"))
        if not result.ok:
            raise SystemExit(f"the benchmark's own file is not valid: {result.diagnostics[0]}")
    return statistics.median(times)


def main() -> int:
    report = Report("parse: check() of a valid file that was not seen before")
    seconds_per_line(LINES[0], rounds=2)  # imports and the schema, once a process
    per_line = {lines: seconds_per_line(lines, rounds=max(3, 20_000 // lines)) for lines in LINES}
    for lines, seconds in per_line.items():
        bar, goal = (100, 25) if lines == 1_000 else (None, None)
        report.figure(Figure(name=f"{lines:,} lines", value=seconds * lines * 1000, unit=" ms", bar=bar, goal=goal))
    for lines in LINES[1:]:
        name = f"time per line at {lines:,} lines, against {LINES[0]:,}"
        report.figure(Figure(name=name, value=per_line[lines] / per_line[LINES[0]], unit="×", bar=1.5))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
