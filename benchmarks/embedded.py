"""Waterflow's steps on its embedded Temporal, against hand-written ones on a stock `temporal server start-dev`.

This is the difference that a user sees who would otherwise have started the development server by hand.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from waterflow_server.dev import TemporalSettings, find_temporal

from ._ports import free_port
from ._report import Figure, Report, interleaved, pair_ratio
from ._rig import compiled, rig
from .steps import workflow

STEPS = 50
PAIRS = 5
_UP_WITHIN = 30.0
_END_WITHIN = 5.0


@asynccontextmanager
async def stock_server(folder: Path) -> AsyncGenerator[str]:
    """A development server as it comes, on ports of its own and without its UI; gives the address."""
    binary = await find_temporal(TemporalSettings.from_environ(), print)
    port = free_port()
    command = [str(binary.path), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--http-port", str(free_port()), "--metrics-port", str(free_port())]
    with (folder / "stock.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        address = f"127.0.0.1:{port}"
        async with asyncio.timeout(_UP_WITHIN):
            await _until_up(address)
        yield address
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _END_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _until_up(address: str) -> None:
    while True:
        try:
            client = await Client.connect(address)
            if await client.service_client.check_health():
                return
        except RuntimeError:  # what the SDK raises while nobody listens
            await asyncio.sleep(0.1)


async def measure() -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(prefix="waterflow-stock-") as folder:
        async with stock_server(Path(folder)) as stock, rig(hand_written=stock) as both:
            plan = compiled(workflow(STEPS))
            return await interleaved(
                {"waterflow": lambda: both.waterflow(plan), "by hand": lambda: both.hand_written(STEPS)}, PAIRS
            )


def main() -> int:
    report = Report(f"embedded: {STEPS} sequential steps that do nothing, {PAIRS} pairs")
    measured = asyncio.run(measure())
    for name, title in (("waterflow", "waterflow, embedded"), ("by hand", "by hand, stock server")):
        milliseconds = statistics.median(measured[name]) / STEPS * 1000
        report.figure(Figure(name=f"time per step, {title}", value=milliseconds, unit=" ms"))
    against = pair_ratio(measured["waterflow"], measured["by hand"])
    report.figure(Figure(name="against the stock development server", value=against, unit="×", bar=0.2, goal=0.1))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
