"""How busy the host is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from waterflow_sdk.wire import AgentLoad, RunningAttempt

from ._attempts import Attempt
from ._claims import SlotBook
from ._clock import now

_MOST_SHOWN = 50


def measure(slots: SlotBook, living: Iterable[Attempt] = ()) -> AgentLoad:
    """Running steps, load average over a minute, memory in bytes (0 where the system does not say)."""
    total, available = _memory()
    return AgentLoad(
        time=now(),
        running=slots.running,
        slots=slots.slots,
        load1=round(os.getloadavg()[0], 2),
        memory_used=total - available,
        memory_total=total,
        held=slots.used - slots.running,
        attempts=_attempts(living),
    )


def _attempts(living: Iterable[Attempt]) -> list[RunningAttempt]:
    """The oldest first, and no more than a heartbeat should carry."""
    oldest = sorted(living, key=lambda attempt: attempt.started)[:_MOST_SHOWN]
    return [
        RunningAttempt(
            run=attempt.key.run,
            job=attempt.key.job,
            step=attempt.key.step,
            attempt=attempt.key.attempt,
            since=attempt.started,
        )
        for attempt in oldest
    ]


def _memory() -> tuple[int, int]:
    values: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in {"MemTotal", "MemAvailable"}:
                values[name] = int(rest.split()[0]) * 1024
    total = values.get("MemTotal", 0)
    return total, values.get("MemAvailable", total)
