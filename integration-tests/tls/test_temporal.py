"""TLS, mTLS and the API key between an agent and Temporal, with real certificates. Nothing of it ends the agent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.wire import State

from ._authority import Authority
from ._front import Front, Metadata
from .conftest import LoneAgent

NOBODY = "127.0.0.1:9"
"""What stands behind a front that nobody gets through."""

STEP = "{name: over-tls, jobs: {work: {runs-on: web, steps: [{run: echo done}]}}}"


class TestRefused:
    """One clear message: what, where, what to do. The agent goes on trying."""

    async def test_a_certificate_of_an_authority_that_is_not_ours(
        self, agent: LoneAgent, ours: Authority, theirs: Authority
    ):
        async with Front.open(NOBODY, theirs.issue("temporal")) as front:
            process = agent.start(front.address, TEMPORAL_TLS_CA=ours.ca)
            await agent.until_says(
                f"the certificate of Temporal at {front.address} is not signed by temporal.ca ({ours.ca}); set "
                "temporal.ca to the certificate of the authority that signed it; trying again for ever"
            )
            assert process.poll() is None

    async def test_a_certificate_that_the_system_does_not_trust(self, agent: LoneAgent, ours: Authority):
        async with Front.open(NOBODY, ours.issue("temporal")) as front:
            agent.start(front.address, TEMPORAL_TLS="on")
            await agent.until_says(
                f"the certificate of Temporal at {front.address} is not signed by an authority that this system trusts"
            )

    async def test_a_certificate_that_has_expired(self, agent: LoneAgent, ours: Authority):
        async with Front.open(NOBODY, ours.issue("temporal", days=-1)) as front:
            agent.start(front.address, TEMPORAL_TLS_CA=ours.ca)
            await agent.until_says(
                f"the certificate of Temporal at {front.address} has expired; it has to be renewed there"
            )

    async def test_a_certificate_for_another_name(self, agent: LoneAgent, ours: Authority):
        async with Front.open(NOBODY, ours.issue("temporal", address="127.0.0.9")) as front:
            agent.start(front.address, TEMPORAL_TLS_CA=ours.ca)
            await agent.until_says(
                f"the certificate of Temporal at {front.address} is for another name than 127.0.0.1; connect by a name "
                "that it has, or set temporal.server_name"
            )

    async def test_no_client_certificate_where_one_is_asked_for(self, agent: LoneAgent, ours: Authority):
        async with Front.open(NOBODY, ours.issue("temporal"), ours.ca) as front:
            agent.start(front.address, TEMPORAL_TLS_CA=ours.ca)
            await agent.until_says(
                f"Temporal at {front.address} asks for a client certificate: set temporal.cert and temporal.key"
            )
            assert front.peers == []

    async def test_a_client_certificate_that_has_expired(self, agent: LoneAgent, ours: Authority):
        old = ours.issue("agent", days=-1)
        async with Front.open(NOBODY, ours.issue("temporal"), ours.ca) as front:
            agent.start(front.address, TEMPORAL_TLS_CA=ours.ca, TEMPORAL_TLS_CERT=old.cert, TEMPORAL_TLS_KEY=old.key)
            await agent.until_says(
                f"Temporal at {front.address} refuses this agent's certificate {old.cert}: it has expired; renew it"
            )

    async def test_a_client_certificate_of_another_authority(
        self, agent: LoneAgent, ours: Authority, theirs: Authority
    ):
        foreign = theirs.issue("agent")
        async with Front.open(NOBODY, ours.issue("temporal"), ours.ca) as front:
            agent.start(
                front.address, TEMPORAL_TLS_CA=ours.ca, TEMPORAL_TLS_CERT=foreign.cert, TEMPORAL_TLS_KEY=foreign.key
            )
            await agent.until_says(f"Temporal at {front.address} refuses this agent's certificate {foreign.cert} (")
            await agent.until_says("it has to be signed by an authority that is trusted there; trying again for ever")

    async def test_tls_where_there_is_none(self, agent: LoneAgent, ours: Authority):
        async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del reader
            writer.write(b"this is not TLS\n" * 10)
            writer.close()

        server = await asyncio.start_server(hello, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        agent.start(address, TEMPORAL_TLS_CA=ours.ca)
        await agent.until_says(f"Temporal at {address} does not answer in TLS (")
        await agent.until_says("check the port, or set temporal.tls to off")
        server.close()

    async def test_none_where_there_is_tls(self, agent: LoneAgent, ours: Authority):
        async with Front.open(NOBODY, ours.issue("temporal")) as front:
            agent.start(front.address)
            await agent.until_says(f"Temporal at {front.address} speaks TLS: set temporal.tls to on")


class TestFiles:
    """A file that cannot be used at the start is an error of the settings: the agent does not start."""

    async def test_each_is_named(self, agent: LoneAgent, ours: Authority, tmp_path: Path):
        pair, other = ours.issue("agent"), ours.issue("other")
        junk, gone = tmp_path / "junk.pem", tmp_path / "gone.pem"
        junk.write_text("not a certificate")
        cases: list[tuple[dict[str, object], str]] = [
            ({"TEMPORAL_TLS_CA": gone}, f"temporal.ca: {gone} cannot be read: No such file or directory"),
            ({"TEMPORAL_TLS_CA": junk}, f"temporal.ca: {junk} has no certificate in the form PEM"),
            (
                {"TEMPORAL_TLS_CERT": pair.cert},
                "temporal.cert is set without temporal.key; mTLS takes both",
            ),
            (
                {"TEMPORAL_TLS_CERT": pair.cert, "TEMPORAL_TLS_KEY": other.key},
                f"temporal.key: {other.key} is not the key of the certificate {pair.cert}",
            ),
            (
                {"TEMPORAL_TLS_CERT": junk, "TEMPORAL_TLS_KEY": pair.key},
                f"temporal.cert, temporal.key: {junk} and {pair.key} have to be a certificate and its key in the form "
                "PEM, the key without password",
            ),
            (
                {"SERVER_ADDRESS": "https://127.0.0.1:9", "WATERFLOW_SERVER_CA": gone},
                f"server.ca: {gone} cannot be read: No such file or directory",
            ),
        ]
        for environ, text in cases:
            process = agent.start(NOBODY, **environ)
            assert await asyncio.to_thread(process.wait, 120) == 2
            assert agent.log.read_text().splitlines()[-1].endswith(text)


@pytest.mark.slow
@pytest.mark.usefixtures("temporal_binary")
class TestConnected:
    async def test_works_over_mtls_with_an_api_key_and_takes_renewed_ones(self, tmp_path: Path, ours: Authority):
        pair, calls = ours.issue("agent"), Metadata()
        key = tmp_path / "temporal.key"
        key.write_text("key-of-the-agent")
        async with (
            Site.create(tmp_path) as site,
            Front.open(site.temporal.address, ours.issue("temporal"), ours.ca, calls) as front,
        ):
            site.start_agent(
                "web-01",
                TEMPORAL_ADDRESS=front.address,
                TEMPORAL_TLS_CA=str(ours.ca),
                TEMPORAL_TLS_CERT=str(pair.cert),
                TEMPORAL_TLS_KEY=str(pair.key),
                TEMPORAL_API_KEY_FILE=str(key),
            )
            await site.until_online("web-01")
            assert (await site.run(STEP)).state is State.SUCCESS
            assert set(front.peers) == {"agent"}
            assert {call.get("authorization") for call in calls.seen} == {"Bearer key-of-the-agent"}

            (first,) = set(front.serials)
            ours.issue("agent")

            async def renewed() -> bool:
                return len(set(front.serials)) == 2

            await until(renewed, "the renewed certificate is shown")
            log = tmp_path / "agent-web-01.log"

            async def used(what: str) -> bool:
                return f"the renewed {what} in use" in log.read_text()

            await until(lambda: used("certificates for Temporal are"), "the agent says so")
            key.write_text("another-key")
            await until(lambda: used("API key for Temporal is"), "the agent says so")
            front.serials.clear()
            calls.seen.clear()
            front.hang_up()  # as a restart of Temporal would
            assert (await site.run(STEP)).state is State.SUCCESS
            assert first not in front.serials
            assert {call.get("authorization") for call in calls.seen} == {"Bearer another-key"}
            assert not [each for each in ("key-of-the-agent", "another-key") if each in log.read_text()]
