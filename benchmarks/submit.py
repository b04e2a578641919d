"""Time from an HTTP submit to its acceptance, one after the other and 50 at once, over the SDK's client.

The file is new each time, so that the server checks and compiles it; the accepted runs are executed by an
agent meanwhile, as they would be.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import time

from waterflow_sdk.client import AsyncClient, Run
from waterflow_server.dev import DevStack, StackSettings

from ._report import Figure, Report

SEQUENTIAL = 200
CONCURRENT = 50
ROUNDS = 4

WORKFLOW = """\
name: submit-{number}
vars:
  who: world
jobs:
  greet:
    runs-on: local
    steps:
      - id: hello
        run: echo "Hello, ${{{{ vars.who }}}}! {number}"
      - run: echo again
        if: ${{{{ steps.hello.outcome == 'success' }}}}
"""
_numbers = itertools.count(1)


async def submit(client: AsyncClient) -> tuple[float, Run]:
    """Seconds to the acceptance, and the run."""
    text = WORKFLOW.format(number=next(_numbers))
    started = time.perf_counter()
    run = await client.submit(text)
    return time.perf_counter() - started, run


async def sequential(client: AsyncClient, count: int) -> list[float]:
    """One after the other, each after the end of the run before."""
    times: list[float] = []
    for _ in range(count):
        seconds, run = await submit(client)
        times.append(seconds)
        await run.wait(60)
    return times


async def concurrent(client: AsyncClient, count: int) -> list[float]:
    """All at once; then waits until their runs have ended."""
    answers = await asyncio.gather(*(submit(client) for _ in range(count)))
    await asyncio.gather(*(run.wait(120) for _, run in answers))
    return [seconds for seconds, _ in answers]


async def measure() -> dict[str, list[float]]:
    async with DevStack(StackSettings(ephemeral=True, agents=1)) as stack, AsyncClient(stack.server_url) as client:
        await sequential(client, 5)
        one_by_one = await sequential(client, SEQUENTIAL)
        await concurrent(client, CONCURRENT)
        at_once = [seconds for _ in range(ROUNDS) for seconds in await concurrent(client, CONCURRENT)]
        return {"one after the other": one_by_one, f"{CONCURRENT} at once": at_once}


def main() -> int:
    report = Report("submit: POST /v1/workflows to accepted")
    for name, times in asyncio.run(measure()).items():
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        for label, value, goal in (("p50", cuts[49], 25), ("p99", cuts[98], 100)):
            report.figure(Figure(name=f"{name}, {label}", value=value * 1000, unit=" ms", bar=500, goal=goal))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
