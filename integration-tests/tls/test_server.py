"""TLS between an agent and the server that takes its logs: the server's own, with client certificates."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.wire import State

from ._authority import Authority
from ._front import Front

STEP = "{name: over-tls, jobs: {work: {runs-on: web, steps: [{run: echo over TLS}]}}}"


class Requests:
    """Collects the heads of HTTP/1 requests."""

    def __init__(self) -> None:
        self.seen = b""

    def __call__(self) -> Requests:
        """For one more connection."""
        return self

    def take(self, data: bytes) -> None:
        """The next bytes of a client."""
        self.seen += data


@pytest.mark.slow
@pytest.mark.usefixtures("temporal_binary")
class TestLogs:
    async def test_are_shipped_over_mtls_with_the_api_key_and_the_trouble_before_is_told(
        self, tmp_path: Path, ours: Authority
    ):
        """A front demands client certificates before a server without TLS, as a company's proxy does."""
        old, sent = ours.issue("agent", days=-1), Requests()
        async with (
            Site.create(tmp_path) as site,
            Front.open(f"127.0.0.1:{site.port}", ours.issue("server"), ours.ca, lambda: sent.take) as front,
        ):
            site.start_agent(
                "web-01",
                SERVER_ADDRESS=f"https://{front.address}",
                WATERFLOW_SERVER_CA=str(ours.ca),
                WATERFLOW_SERVER_CERT=str(old.cert),
                WATERFLOW_SERVER_KEY=str(old.key),
                WATERFLOW_API_KEY="key-of-the-agent",
            )
            await site.until_online("web-01")
            run = await site.submit(STEP)
            assert (await run.wait(180)).state is State.SUCCESS  # a step is never slowed by its log
            log = tmp_path / "agent-web-01.log"
            refused = (
                f"step logs cannot be shipped: the server at {front.address} refuses this agent's certificate "
                f"{old.cert}: it has expired; renew it, without a restart; they are kept and sent later"
            )

            async def said() -> bool:
                return refused in log.read_text()

            await until(said, "the agent says why")
            ours.issue("agent")

            async def shipped() -> bool:
                async with run.logs() as lines:
                    return any([line.text == "over TLS" async for line in lines])

            await until(shipped, "the log is shipped with the renewed certificate")
            assert set(front.peers) == {"agent"}
            assert b"Authorization: Bearer key-of-the-agent\r\n" in sent.seen


@pytest.mark.slow
@pytest.mark.usefixtures("temporal_binary")
class TestServer:
    async def test_speaks_tls_itself_and_lets_in_only_who_shows_a_certificate(
        self, tmp_path: Path, ours: Authority, theirs: Authority
    ):
        pair, me, foreign = ours.issue("server"), ours.issue("client"), theirs.issue("foreign")
        async with Site.create(tmp_path) as site:
            site.kill_server()
            site.server_environ |= {
                "WATERFLOW_TLS_CERT": str(pair.cert),
                "WATERFLOW_TLS_KEY": str(pair.key),
                "WATERFLOW_TLS_CLIENT_CA": str(ours.ca),
            }
            starting = asyncio.create_task(site.start_server())  # which waits for one that answers without TLS
            await until(lambda: _answers(site.port, ours.ca, me.cert, me.key), "the server answers over TLS")
            starting.cancel()
            assert not await _answers(site.port, ours.ca, foreign.cert, foreign.key)
            assert not await _answers(site.port, ours.ca, None, None)


async def _answers(port: int, ca: Path, cert: Path | None, key: Path | None) -> bool:
    """Whether ``GET /health/live`` gets an answer."""
    context = ssl.create_default_context(cafile=ca)
    if cert:
        context.load_cert_chain(cert, key)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    except OSError:
        return False
    return answer.startswith(b"HTTP/1.1 200 ")
