"""Simulated agents in a few processes, and what they say."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from ._simulated import Orders

REPOSITORY = Path(__file__).resolve().parents[1]
READY_WITHIN = 300.0
_POLL = 0.3  # each look at a list costs the machine that is measured
_TICKS = os.sysconf("SC_CLK_TCK")


class Host:
    """A process with simulated agents. `configured` has when each of them last heard of its groups, and which; `held`
    when each last knew that it holds its lease.
    """

    def __init__(self, process: asyncio.subprocess.Process, names: list[str]) -> None:
        self.names = names
        self.process = process
        self.ready = asyncio.Event()
        self.configured: dict[str, tuple[float, list[str]]] = {}
        self.held: dict[str, float] = {}

    async def listen(self) -> None:
        """Reads what it says, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            match line.decode().split():
                case ["ready"]:
                    self.ready.set()
                case ["told", at, name, groups]:
                    self.configured[name] = (float(at), groups.split(","))
                case ["held", at, name]:
                    self.held[name] = float(at)
                case words:
                    raise ValueError(f"a host of simulated agents says {words}")

    def kill(self) -> None:
        """`kill -9`: all its agents are lost at once."""
        self.process.kill()


@asynccontextmanager
async def host(orders: Orders, log: Path | None = None) -> AsyncGenerator[Host]:
    """A process that lets its agents say hello; killed when it is left. What it warns of goes to `log`."""
    with (log or Path(os.devnull)).open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks._simulated"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=REPOSITORY,
        )
    assert process.stdin is not None
    made = Host(process, orders.names)
    listening = asyncio.create_task(made.listen())
    try:
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


async def hosts(stack: AsyncExitStack, orders: Orders, processes: int, log: Path | None = None) -> list[Host]:
    """The agents of these orders, spread over some processes that end with the stack."""
    parts = [msgspec.structs.replace(orders, names=orders.names[first::processes]) for first in range(processes)]
    return [await stack.enter_async_context(host(each, log)) for each in parts]


async def told(hosts: list[Host], names: list[str], group: str, within: float = READY_WITHIN) -> float:
    """When the last of these agents knew that it is in the group, in seconds since the epoch."""

    def times() -> list[float]:
        said = {name: said for each in hosts for name, said in each.configured.items()}
        return [said[name][0] for name in names if name in said and group in said[name][1]]

    async def all_told() -> bool:
        return len(times()) == len(names)

    await until(all_told, within)
    return max(times())


def all_held(hosts: list[Host], since: float) -> bool:
    """Whether each agent has had its lease since then, in seconds since the epoch."""
    return all(each.held.get(name, 0.0) > since for each in hosts for name in each.names)


async def until(check: Callable[[], Awaitable[bool]], within: float = READY_WITHIN) -> None:
    """Waits for what nobody announces. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while not await check():  # noqa: ASYNC110
            await asyncio.sleep(_POLL)


def cpu_seconds(pid: int) -> float:
    """What the process has used of a core so far (proc_pid_stat(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
