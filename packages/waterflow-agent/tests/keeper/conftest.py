"""A keeper in a process of its own, and an agent's end of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from waterflow_agent._attempts import Attempt, Delivery
from waterflow_agent._held import Held
from waterflow_agent._keeping import Context, Keeping, KeptAttempt
from waterflow_agent._notices import Notices
from waterflow_agent._process_table import MARK
from waterflow_sdk.node import StartedProcess
from waterflow_sdk.wire import AttemptKey, NodeTask

MakeTask = Callable[..., NodeTask]


class Sink:
    """What a node's context would get."""

    def __init__(self) -> None:
        self.out = {1: bytearray(), 2: bytearray()}
        self.open = {1, 2}
        self.chunk = asyncio.Event()
        self.exited = asyncio.Event()
        self.drained = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.out[fd] += data
        self.chunk.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        assert exc is None
        self.open.remove(fd)
        if not self.open:
            self.drained.set()

    def process_exited(self) -> None:
        self.exited.set()

    async def ended(self) -> None:
        async with asyncio.timeout(120):
            await self.exited.wait()
            await self.drained.wait()

    async def has(self, text: bytes) -> None:
        """Waits until it was printed."""
        async with asyncio.timeout(120):
            while text not in self.out[1]:
                self.chunk.clear()
                await self.chunk.wait()


class Host:
    """One state directory, and the agents that come and go on it."""

    def __init__(self, directory: Path, make_task: MakeTask) -> None:
        self.directory = directory
        self.make_task = make_task
        self.keeping = self.agent()

    def agent(self, **options: float) -> Keeping:
        """Another start of the agent."""
        return Keeping(self.directory, Notices(), 1 << 20, **options)  # type: ignore[arg-type]

    async def killed(self) -> list[Held]:
        """The agent is gone and another one finds what it left."""
        self.keeping.close()
        self.keeping = self.agent()
        return await self.keeping.find()

    async def attempt(self, *, resumable: bool = True, **fields: object) -> KeptAttempt:
        """A new attempt, delivered."""
        own = AttemptKey(run=f"keeper-{uuid.uuid4()}", job="build", step="steps[0]", attempt=1)
        task = self.make_task("script", key=own, **fields)  # what carries its mark is looked for on the whole machine
        kept = await self.keeping.attempt(Attempt(task, Delivery(b"token")), resumable=resumable)
        assert kept is not None
        return kept

    async def again(self, held: Held) -> KeptAttempt:
        """A held attempt goes on."""
        attempt = msgspec.json.decode(held.context, type=Context).attempt(held)
        kept = await self.keeping.attempt(attempt, resumable=True)
        assert kept is not None
        return kept

    async def start(
        self, kept: KeptAttempt, script: str | Sequence[str], sink: Sink, stdin: bytes | None = None, **env: str
    ) -> StartedProcess:
        """Runs a shell script, or a command."""
        argv = ["sh", "-c", script] if isinstance(script, str) else script
        environ = {"PATH": os.environ["PATH"], MARK: str(kept.attempt.key), **env}
        return await kept(argv, env=environ, cwd=self.directory, stdin=stdin, sink=sink)

    @property
    def keeper(self) -> int:
        """Its process id."""
        return int((self.directory / "keeper.lock").read_text())

    def end(self) -> None:
        """Nothing is left of it."""
        self.keeping.close()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children = Path(f"/proc/{self.keeper}/task/{self.keeper}/children").read_text().split()
            os.kill(self.keeper, signal.SIGKILL)
            for child in children:
                os.killpg(int(child), signal.SIGKILL)


def lives(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def until(check: Callable[[], bool]) -> None:
    """Waits for what another process does and nobody announces."""
    async with asyncio.timeout(120):
        while not check():
            await asyncio.sleep(0.01)


@pytest.fixture
async def host(tmp_path: Path, make_task: MakeTask) -> AsyncIterator[Host]:
    """A host; whatever still runs on it is killed at the end."""
    made = Host(tmp_path, make_task)
    yield made
    made.end()
    await asyncio.sleep(0)
