"""How busy the host is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from waterflow_sdk.wire import AgentLoad

from ._claims import SlotBook
from ._clock import now


def measure(slots: SlotBook) -> AgentLoad:
    """Running steps, load average over a minute, memory in bytes (0 where the system does not say)."""
    total, available = _memory()
    return AgentLoad(
        time=now(),
        running=slots.running,
        slots=slots.slots,
        load1=round(os.getloadavg()[0], 2),
        memory_used=total - available,
        memory_total=total,
    )


def _memory() -> tuple[int, int]:
    values: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in {"MemTotal", "MemAvailable"}:
                values[name] = int(rest.split()[0]) * 1024
    total = values.get("MemTotal", 0)
    return total, values.get("MemAvailable", total)
