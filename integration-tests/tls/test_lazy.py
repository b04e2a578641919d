"""In an agent, Python's own TLS is loaded when something uses it, and not before."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import Site

from waterflow_agent._lazy import LAZY

from ._authority import Authority
from .conftest import LoneAgent

CLIENTS = """
from waterflow_agent._lazy import make_lazy, unused
make_lazy()
import asyncio, http.client, sys
import waterflow_agent._main
print("ssl" in unused(), "asyncio.sslproto" in unused())

async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nover")
    await writer.drain()
    writer.close()

def old_way(port, trusting):
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting)
    connection.request("GET", "/")
    return connection.getresponse().read()

async def main(ca, cert, key):
    import ssl
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(cert, key)
    trusting = ssl.create_default_context(cafile=ca)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=own)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    writer.write(b"GET / HTTP/1.1\\r\\n\\r\\n")
    print((await reader.read()).endswith(b"over"))
    writer.close()
    print(await asyncio.to_thread(old_way, port, trusting))
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async with session.get(f"https://127.0.0.1:{port}/", ssl=trusting) as response:
            print(await response.read())
        try:
            await session.get(f"https://127.0.0.1:{port}/")
        except aiohttp.ClientConnectorCertificateError:
            print("not trusted")

asyncio.run(main(*sys.argv[1:]))
"""

AGENT = """
import signal, sys
from waterflow_agent import _lazy

def tell(number, frame):
    used = sorted(_lazy.LAZY & sys.modules.keys() - set(_lazy.unused()))
    print(f"used of {len(_lazy.LAZY)}: {used}", file=sys.stderr, flush=True)

signal.signal(signal.SIGUSR1, tell)
from waterflow_agent.commands import console
console()
"""


@pytest.mark.slow
class TestLazyTls:
    def test_serves_every_client(self, ours: Authority):
        pair = ours.issue("server")
        files = [str(path) for path in (ours.ca, pair.cert, pair.key)]
        done = subprocess.run(
            [sys.executable, "-c", CLIENTS, *files], capture_output=True, text=True, timeout=180, check=False
        )
        assert done.stdout.splitlines() == ["True True", "True", "b'over'", "b'over'", "not trusted"], done.stderr

    @pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other versions of Python import other modules")
    @pytest.mark.usefixtures("temporal_binary")
    async def test_an_idle_agent_has_used_none_of_the_lazy_modules(self, tmp_path: Path, agent: LoneAgent):
        async with Site.create(tmp_path) as site:
            process = agent.start(
                site.temporal.address,
                code=AGENT,
                SERVER_ADDRESS=site.url,
                WATERFLOW_AGENT_NAME="lazy",
                WATERFLOW_KEYS_FILE=tmp_path / "keys.json",
            )
            await site.until_online("lazy")
            process.send_signal(signal.SIGUSR1)
            await agent.until_says(f"used of {len(LAZY)}: []\n")
