"""Memory of an idle agent: connected, one group, the built-in nodes installed, on the distribution's own Python."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from waterflow_server.dev import DevStack, StackSettings

from ._report import Figure, Report, debian_python

PACKAGES = Path(__file__).resolve().parents[1] / "packages"
SETTLE = 20.0
"""Seconds from online to the measurement: connections are made and the first heartbeats sent."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memory:
    """In MiB. `private` would come back if the process ended (USS); `resident` counts shared pages in full (RSS)."""

    private: float
    resident: float

    @classmethod
    def of(cls, pid: int) -> Memory:
        """Read from the kernel (proc(5), smaps_rollup)."""
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
        kib = {line.split(":")[0]: int(line.split()[1]) for line in rollup}
        return cls(private=(kib["Private_Clean"] + kib["Private_Dirty"]) / 1024, resident=kib["Rss"] / 1024)


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
    report.figure(Figure(name="private memory", value=memory.private, unit=" MiB", bar=50))
    report.figure(Figure(name="resident memory", value=memory.resident, unit=" MiB", bar=62, goal=50))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
