"""One job of 10,000 steps and a loop of 5,000 iterations, against one of 100 steps: time of a step, histories, memory.

The job rolls over again and again: what it carries grows with every step that has ended. So what counts is what a step
costs at the end of a long job against what it costs in a short one.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

from temporalio.client import WorkflowHistory

from waterflow_sdk.wire import JobState, job_workflow_id
from waterflow_server.engine._wire import STATE_QUERY

from ._host import GROUP, NODE
from ._report import Figure, Report
from ._rig import Rig, compiled, rig

SHORT, LONG = 100, int(os.environ.get("WATERFLOW_BENCH_STEPS", "10000"))
ROUNDS = 5
WITHIN = 3600.0
TEMPORAL_LIMIT = 51_200

_HEAD = f"name: scale\njobs:\n  job:\n    runs-on: {GROUP}\n    steps:\n"


def steps(count: int) -> str:
    """A job of so many steps, every one with an id."""
    return _HEAD + "".join(f"      - {{id: s{number}, uses: {NODE}}}\n" for number in range(count))


def loop(count: int, at_once: int) -> str:
    """A `for-each` over so many numbers."""
    items = ", ".join(map(str, range(count)))
    each = f"for-each: [{items}], max-parallel: {at_once}, steps: [{{id: s, uses: {NODE}}}]"
    return _HEAD + f"      - {{{each}}}\n"


async def histories(both: Rig, run_id: str) -> list[WorkflowHistory]:
    """All histories of the job's workflow, the newest first."""
    found: list[WorkflowHistory] = []
    run = None
    while True:
        handle = both.client.get_workflow_handle(job_workflow_id(run_id, "job"), run_id=run)
        found.append(await handle.fetch_history())
        run = found[-1].events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run:
            return found


def resident() -> float:
    """MiB that this process, in which the interpreter runs, has in memory (proc_pid_statm(5))."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def look(both: Rig, run_id: str, report: Report, name: str) -> None:
    """How long its histories are, how much it carries, how fast its state is there."""
    found = await histories(both, run_id)
    events = max(len(history.events) for history in found)
    carried = max(history.events[0].ByteSize() for history in found)
    started = time.perf_counter()
    handle = both.client.get_workflow_handle(job_workflow_id(run_id, "job"))
    state = await handle.query(STATE_QUERY, result_type=JobState)
    seconds = time.perf_counter() - started
    report.note(f"{name}: {len(found)} runs of the job's workflow")
    report.figure(Figure(name=f"{name}: longest history", value=events, unit=" events", bar=TEMPORAL_LIMIT / 4))
    report.figure(Figure(name=f"{name}: largest input carried over", value=carried / 1000, unit=" kB", bar=1800))
    shown = sum(1 + len(step.steps) for step in state.steps)
    report.figure(Figure(name=f"{name}: query of its state, {shown} steps", value=seconds, unit=" s"))


async def measure(report: Report) -> None:
    async with rig() as both:
        short = compiled(steps(SHORT))
        await both.run(short)
        before = [(await both.run(short))[1] for _ in range(ROUNDS)]
        memory = resident()
        run_id, long = await both.run(compiled(steps(LONG)), WITHIN)
        report.figure(Figure(name=f"memory added by {LONG} steps", value=resident() - memory, unit=" MiB"))
        after = [(await both.run(short))[1] for _ in range(ROUNDS)]
        each = statistics.median([*before, *after]) / SHORT
        report.figure(Figure(name=f"a step of {SHORT}", value=each * 1000, unit=" ms"))
        report.figure(Figure(name=f"a step of {LONG}", value=long / LONG * 1000, unit=" ms"))
        report.figure(Figure(name=f"a step of {LONG} against {SHORT}", value=long / LONG / each, unit="×", bar=1.2))
        await look(both, run_id, report, f"{LONG} steps")
        for at_once in (1, 20):
            memory = resident()
            run_id, seconds = await both.run(compiled(loop(LONG // 2, at_once)), WITHIN)
            name = f"{LONG // 2} iterations, {at_once} at once"
            report.figure(Figure(name=f"{name}: an iteration", value=seconds / (LONG // 2) * 1000, unit=" ms"))
            report.figure(Figure(name=f"{name}: memory added", value=resident() - memory, unit=" MiB"))
            await look(both, run_id, report, name)


def main() -> int:
    report = Report(f"scale: one job of {LONG} steps, loops of {LONG // 2} iterations")
    asyncio.run(measure(report))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
