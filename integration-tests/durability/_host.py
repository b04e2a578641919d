"""What the tests of killed agents look at on the host."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from harness import Agent
from harness.files import lines_of, until_lines
from harness.processes import lives
from harness.site import until


async def until_more(path: Path, count: int = 10) -> None:
    """Waits until so many lines are added."""
    await until_lines(path, len(lines_of(path)) + count)


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
