"""Log lines from a step to a follower over HTTP: how many a second, and how late they are at 1,000 a second.

Everything is in between: the pipe, masking, the agent's spool, ingest, the server's journal, server-sent events, the
SDK's client. Agent, server, Temporal and the follower share the machine.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time

from waterflow_sdk.client import AsyncClient
from waterflow_sdk.wire import LogEventKind
from waterflow_server.dev import DevStack, StackSettings

from ._report import Figure, Report

LINES = 500_000
ROUNDS = 3
SECONDS = 20

TIMED = """
import sys, time
begin = time.time()
for number in range(%d):
    time.sleep(max(0.0, begin + number / 100 - time.time()))
    for _ in range(10):
        print(time.time())
    sys.stdout.flush()
"""


def source(script: str) -> str:
    step = {"name": "print", "run": script}
    return json.dumps({"name": "lines", "jobs": {"print": {"runs-on": "local", "steps": [step]}}})


async def lines_per_second(client: AsyncClient, count: int) -> float:
    """From the start of the step to the last line at the follower."""
    run = await client.submit(source(f"seq -f 'line %08.0f of a log, as long as lines of logs often are' {count}"))
    begun, received = 0.0, 0
    async with run.logs(follow=True) as log:
        while received < count and (batch := await log.next_batch()):
            for line in batch:
                if line.event is LogEventKind.STEP_STARTED:
                    begun = line.time.timestamp()
                received += line.event is None
        last = time.time()
    await run.wait(60)
    if received != count:
        raise SystemExit(f"{received} lines instead of {count}")
    return count / (last - begun)


async def delays(client: AsyncClient, seconds: int) -> list[float]:
    """Seconds from the print to the follower, of each line."""
    run = await client.submit(source(f"exec {sys.executable} -c '{TIMED % (seconds * 100)}'"))
    found: list[float] = []
    async with run.logs(follow=True) as log:
        while batch := await log.next_batch():
            now = time.time()
            found += [now - float(line.text) for line in batch if line.event is None]
    if len(found) != seconds * 1000:
        raise SystemExit(f"{len(found)} lines instead of {seconds * 1000}")
    return found


async def measure() -> tuple[list[float], list[float]]:
    async with DevStack(StackSettings(ephemeral=True, agents=1)) as stack, AsyncClient(stack.server_url) as client:
        await lines_per_second(client, LINES // 10)
        return [await lines_per_second(client, LINES) for _ in range(ROUNDS)], await delays(client, SECONDS)


def main() -> int:
    report = Report(f"log lines, from a step on one agent to a follower; {LINES:,} lines, {ROUNDS} times")
    rates, late = asyncio.run(measure())
    report.figure(
        Figure(
            name="lines a second, median",
            value=statistics.median(rates),
            unit="/s",
            bar=20_000,
            goal=100_000,
            more_is_better=True,
        )
    )
    cuts = statistics.quantiles(late, n=100, method="inclusive")
    for label, value in (("p50", cuts[49]), ("p99", cuts[98]), ("worst", max(late))):
        report.figure(Figure(name=f"delay at 1,000 lines/s, {label}", value=value * 1000, unit=" ms", bar=1000))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
