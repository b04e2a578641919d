"""`waterflow run --local examples/hello-world.yaml` from nothing running to its exit."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ._report import Figure, Report

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "hello-world.yaml"
ROUNDS = 5
GREETING = "Hello, world!"
_WITHIN = 60


def seconds() -> float:
    """One run of the command."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "SERVER_"))}
    command = [sys.executable, "-m", "waterflow_cli", "run", "--local", str(EXAMPLE)]
    started = time.perf_counter()
    done = subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_WITHIN, check=False
    )
    elapsed = time.perf_counter() - started
    if done.returncode or GREETING not in done.stdout:
        raise SystemExit(f"the command ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return elapsed


def main() -> int:
    report = Report(f"local_run: waterflow run --local, {ROUNDS} times")
    seconds()  # what is read from the disk for the first time says nothing about the command
    times = [seconds() for _ in range(ROUNDS)]
    report.figure(Figure(name="to its exit, median", value=statistics.median(times), unit=" s", bar=10, goal=3))
    report.figure(Figure(name="to its exit, slowest", value=max(times), unit=" s", bar=10))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
