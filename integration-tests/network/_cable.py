"""A host of its own for an agent: a network namespace that one cable joins to this machine, to be pulled and plugged.

The cable is a veth pair whose near end is a port of a bridge. Pulled, the port leaves the bridge: both ends keep their
carrier, addresses and routes, connections stay open on both sides, and bytes are lost without anybody being told. A
link that is set down would tell both ends at once, which no switch that dies does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncGenerator

from harness.processes import lives

_NET = "198.18"  # for tests of networks only (RFC 2544)
_PREFIX = "wf-test-"
"""Of a namespace's name; the id of the process that made it follows."""


class Cable:
    """Joins the namespace ``name``, where this machine is ``near``, to this machine, where the namespace is ``far``."""

    def __init__(self, number: int, subnet: str = "") -> None:
        self.name = f"{_PREFIX}{number:x}"
        self._bridge, self._near_end, self._far_end = (f"wf{end}{number:x}" for end in "bnf")
        self.near, self.far = f"{subnet}.1", f"{subnet}.2"

    @classmethod
    @contextlib.asynccontextmanager
    async def create(cls) -> AsyncGenerator[Cable]:
        """A plugged cable; it and its namespace are removed at the end."""
        await asyncio.to_thread(_remove_leftovers)
        cable = cls(os.getpid(), await asyncio.to_thread(_free_subnet))
        try:
            await asyncio.to_thread(cable._lay)
            yield cable
        finally:
            await asyncio.to_thread(cable._remove)

    def enter(self, *words: str) -> list[str]:
        """The command line that runs these words inside the namespace."""
        return ["ip", "netns", "exec", self.name, *words]

    def pull(self) -> None:
        """From now on everything is lost, both ways."""
        _ip("link", "set", self._near_end, "nomaster")

    def plug(self) -> None:
        """Everything passes again."""
        _ip("link", "set", self._near_end, "master", self._bridge)

    def _lay(self) -> None:
        _ip("netns", "add", self.name)
        # An address of its own: a bridge takes one of its ports' otherwise, and would be another host without them.
        _ip("link", "add", self._bridge, "address", "02:57:46:00:00:01", "type", "bridge")
        _ip("addr", "add", f"{self.near}/30", "dev", self._bridge)
        _ip("link", "add", self._near_end, "type", "veth", "peer", "name", self._far_end, "netns", self.name)
        _ip("-n", self.name, "addr", "add", f"{self.far}/30", "dev", self._far_end)
        _ip("-n", self.name, "link", "set", self._far_end, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("link", "set", self._bridge, "up")
        _ip("link", "set", self._near_end, "master", self._bridge, "up")

    def _remove(self) -> None:
        for words in (("link", "del", self._near_end), ("link", "del", self._bridge), ("netns", "del", self.name)):
            with contextlib.suppress(CableError):  # what was not made cannot be removed
                _ip(*words)


class CableError(Exception):
    """`ip` refused."""


@contextlib.asynccontextmanager
async def door(host: str, target: str) -> AsyncGenerator[str]:
    """Lets the far end in: a listener on ``host`` that passes bytes on to ``target``, which listens on loopback alone.

    Yields its ``host:port``. It stands before the cable, so a cut is in the network and not in here.
    """
    pipes: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*target.rsplit(":", 1))
        except OSError:
            writer.transport.abort()
            return
        for source, sink in ((reader, inner_writer), (inner_reader, writer)):
            task = asyncio.create_task(_pipe(source, sink))
            pipes.add(task)
            task.add_done_callback(pipes.discard)

    server = await asyncio.start_server(connected, host, 0)
    try:
        yield f"{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for pipe in tuple(pipes):
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
        await asyncio.sleep(0.05)  # asyncio closes sockets some turns of the loop after it was told to


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass  # one side is gone: so is the other, now
    finally:
        sink.transport.abort()


def _remove_leftovers() -> None:
    """What tests have laid that were killed, and what has the name that is needed now."""
    for line in _ip("netns", "list").splitlines():
        name = line.split()[0]
        if name.startswith(_PREFIX):
            maker = int(name.removeprefix(_PREFIX), 16)
            if maker == os.getpid() or not lives(maker):
                Cable(maker)._remove()


def _free_subnet() -> str:
    """One of which this machine has no address."""
    taken = _ip("-o", "-4", "addr", "show")
    return next(net for net in (f"{_NET}.{number}" for number in range(256)) if f" {net}.1/" not in taken)


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CableError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
