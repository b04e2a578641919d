"""What the tests of killed agents look at on the host."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from harness import Agent
from harness.site import until


def lines_of(path: Path) -> list[str]:
    """The lines of a file that may not be there yet."""
    return path.read_text().splitlines() if path.exists() else []


async def until_lines(path: Path, count: int) -> list[str]:
    """Waits until the file has so many lines."""

    async def there() -> bool:
        return len(lines_of(path)) >= count

    await until(there, f"{path.name} has {count} lines")
    return lines_of(path)


async def until_more(path: Path, count: int = 10) -> None:
    """Waits until so many lines are added."""
    await until_lines(path, len(lines_of(path)) + count)


def lives(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def until_gone(pid: int, what: str) -> None:
    """Waits until the process runs no more."""

    async def gone() -> bool:
        return not lives(pid)

    await until(gone, what)


def keeper_of(agent: Agent) -> int:
    """Process id of the keeper of the agent's state directory."""
    return int((agent.state_dir / "keeper.lock").read_text())


def kill_with_keeper(agent: Agent) -> None:
    """``kill -9`` of the agent and of its keeper, as when a whole control group is killed; steps live on."""
    keeper = keeper_of(agent)
    agent.kill()
    os.kill(keeper, signal.SIGKILL)
