"""Memory of an idle agent: connected, one group, the built-in nodes installed, on the distribution's own Python.

Run it where no other agent runs: what two processes share counts for neither.
"""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from waterflow_server.dev import DevStack, StackSettings

from ._report import Figure, Report, debian_python

PACKAGES = Path(__file__).resolve().parents[1] / "packages"
SETTLE = 45.0
"""Seconds from online to the measurement: memory was given back, and several heartbeats were sent since."""

_MIB = 1024  # KiB
_MOST = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memory:
    """In MiB. `private` would come back if the process ended (USS); `resident` counts shared pages in full (RSS).

    - `anonymous`: of `private`, objects and buffers: heap, Python's arenas, stacks
    - `files`: of `private`, pages of programs and libraries, by file; the kernel can drop those that are not modified
    """

    private: float
    resident: float
    anonymous: float
    files: dict[str, float]

    @classmethod
    def of(cls, pid: int) -> Memory:
        """Read from the kernel (proc(5), smaps and smaps_rollup)."""
        total = _sums(Path(f"/proc/{pid}/smaps_rollup"))["[rollup]"]
        parts = _sums(Path(f"/proc/{pid}/smaps"))
        files = {Path(name).name: _private(kib) for name, kib in parts.items() if name.startswith("/")}
        return cls(
            private=_private(total),
            resident=total["Rss"] / _MIB,
            anonymous=sum(_private(kib) for name, kib in parts.items() if not name.startswith("/")),
            files=files,
        )

    def __str__(self) -> str:
        most = sorted(self.files.items(), key=lambda item: -item[1])
        parts = [f"objects and buffers {self.anonymous:.1f}", *(f"{name} {size:.1f}" for name, size in most[:_MOST])]
        rest = sum(size for _, size in most[_MOST:])
        return f"private MiB by part: {', '.join(parts)}, other libraries {rest:.1f}"


def _sums(smaps: Path) -> dict[str, Counter[str]]:
    """KiB of all mappings of the same name, by field."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    name = ""
    for line in smaps.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            name = words[5] if len(words) > 5 else ""
        elif words[-1] == "kB":
            sums[name][words[0][:-1]] += int(words[1])
    return sums


def _private(kib: Counter[str]) -> float:
    return (kib["Private_Clean"] + kib["Private_Dirty"]) / _MIB


def install(python: Path, venv: Path) -> Path:
    """A virtual environment with what a target host has, compiled as pip does; returns its interpreter."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", python, venv], check=True)
    folders = [PACKAGES / name for name in ("waterflow-sdk", "waterflow-agent", "waterflow-nodes-core")]
    interpreter = venv / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", interpreter]
    subprocess.run([*install, *folders], check=True)
    return interpreter


async def measure(interpreter: Path) -> Memory:
    command = (str(interpreter), "-m", "waterflow_agent")
    settings = StackSettings(ephemeral=True, agents=1, agent_command=command)
    async with DevStack(settings) as stack:
        await asyncio.sleep(SETTLE)
        return Memory.of(stack.pids["local-1"])


def main() -> int:
    report = Report("agent_memory: an idle agent")
    python = debian_python() or Path(sys.executable)
    folder = Path(tempfile.mkdtemp(prefix="waterflow-agent-memory-"))
    try:
        interpreter = install(python, folder / "venv")
        version = subprocess.run([interpreter, "-V"], capture_output=True, text=True, check=True).stdout.strip()
        report.note(f"{version} at {python}")
        memory = asyncio.run(measure(interpreter))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.note(f"{SETTLE:.0f} s after it is online; {memory}")
    report.figure(Figure(name="private memory", value=memory.private, unit=" MiB", bar=50))
    report.figure(Figure(name="resident memory", value=memory.resident, unit=" MiB", bar=62, goal=50))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
