"""Time from the start of a server's process until it says that it is ready, on a Temporal that runs already."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from waterflow_server.dev import EmbeddedTemporal, TemporalSettings

from ._ports import free_port
from ._report import Figure, Report

ROUNDS = 5
GIVE_UP = 60.0


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


async def seconds_to_ready(temporal: EmbeddedTemporal, folder: Path) -> float:
    """Starts one server, waits until it is ready, stops it."""
    port = free_port()
    environ = {
        **os.environ,
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": temporal.namespace,
        "WATERFLOW_DATA_DIR": str(folder),
    }
    command = [sys.executable, "-m", "waterflow_server", "start", "--host", "127.0.0.1", "--port", str(port)]
    started = time.perf_counter()
    with (folder / "server.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=log, stderr=log)
    try:
        while not await asyncio.to_thread(ready, port):
            if process.returncode is not None or time.perf_counter() - started > GIVE_UP:
                raise SystemExit(f"the server did not become ready:\n{(folder / 'server.log').read_text()[-2000:]}")
            await asyncio.sleep(0.02)
        return time.perf_counter() - started
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def measure() -> list[float]:
    with tempfile.TemporaryDirectory(prefix="waterflow-server-start-") as name:
        async with EmbeddedTemporal(TemporalSettings.from_environ(ephemeral=True)) as temporal:
            return [await seconds_to_ready(temporal, Path(name)) for _ in range(ROUNDS)]


def main() -> int:
    report = Report("server_start: from process to ready")
    first, *others = asyncio.run(measure())
    report.figure(Figure(name="first start on a new namespace", value=first, unit=" s", bar=5))
    report.figure(Figure(name="later starts, median", value=statistics.median(others), unit=" s", bar=5, goal=1.5))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
