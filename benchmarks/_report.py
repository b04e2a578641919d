"""What the benchmarks share: facts about the machine, interleaved runs, and figures against their bars."""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

BAR_MISSED = 3
"""Exit code of a benchmark that measured, and missed a bar."""


def machine() -> str:
    """One line about this machine: only ratios can be compared between machines."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores, {_memory()}, {platform.python_implementation()} {platform.python_version()}, "
        f"{platform.system()} {platform.release()} {platform.machine()}, load {_load()}"
    )


def _memory() -> str:
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return "memory unknown"
    return f"{total / 2**30:.0f} GiB"


def _load() -> str:
    # A machine that is busy with something else gives figures that mean little; the reader should see it.
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


async def interleaved(
    sides: Mapping[str, Callable[[], Awaitable[float]]], rounds: int, *, warm_up: int = 1
) -> dict[str, list[float]]:
    """Measures all sides `rounds` times in turn, so that whatever disturbs the machine disturbs each alike.

    Each call returns what it measured, in seconds or any other unit. The order turns round every time. The first
    `warm_up` rounds are run and thrown away.
    """
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(-warm_up, rounds):
        names = list(sides) if number % 2 == 0 else list(reversed(list(sides)))
        for name in names:
            value = await sides[name]()
            if number >= 0:
                measured[name].append(value)
    return measured


def pair_ratio(measured: Sequence[float], reference: Sequence[float]) -> float:
    """Median of the ratios of what was measured one right after the other (see `interleaved`)."""
    return statistics.median(ours / theirs for ours, theirs in zip(measured, reference, strict=True))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value, with the bar it must reach and the goal it should.

    - `name`: what was measured; `unit` follows the value, such as ` ms` or `×`
    - `bar`, `goal`: None where there is none
    - `more_is_better`: for rates; otherwise less is better
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    goal: float | None = None
    more_is_better: bool = False

    def reaches(self, limit: float | None) -> bool:
        if limit is None:
            return True
        return self.value >= limit if self.more_is_better else self.value <= limit

    def __str__(self) -> str:
        limits = [
            f"{name} {'≥' if self.more_is_better else '≤'} {limit:g}{self.unit}: "
            f"{'reached' if self.reaches(limit) else 'MISSED' if name == 'bar' else 'not reached'}"
            for name, limit in (("bar", self.bar), ("goal", self.goal))
            if limit is not None
        ]
        return f"  {self.name:<58} {self.value:>10,.2f}{self.unit:<4}  {', '.join(limits)}".rstrip()


class Report:
    """Prints figures as they come and remembers whether a bar was missed."""

    def __init__(self, title: str) -> None:
        self._missed = False
        print(f"\n{title}\n  {machine()}", flush=True)

    def note(self, text: str) -> None:
        """A fact beside the figures, such as what takes the memory."""
        print(f"  {text}", flush=True)

    def figure(self, figure: Figure) -> None:
        """One result."""
        self._missed = self._missed or not figure.reaches(figure.bar)
        print(figure, flush=True)

    def exit_code(self) -> int:
        """0, or BAR_MISSED."""
        return BAR_MISSED if self._missed else 0


def debian_python() -> Path | None:
    """The Python of the distribution, which target hosts have; None where there is none that is new enough."""
    python = Path("/usr/bin/python3")
    return python if python.exists() and sys.platform == "linux" else None
