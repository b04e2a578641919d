"""TLS between the API and who uses it: the command, the SDK and `waterflow server`, with an authority of one's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.command import Command, Result

from waterflow_sdk import AsyncClient
from waterflow_sdk.client import ServerUnavailable

from ._authority import Authority
from ._front import Front

NOBODY = "127.0.0.1:9"
"""What stands behind a front that nobody gets through."""


@pytest.fixture
def waterflow(tmp_path: Path) -> Command:
    """`waterflow`, for whom everything is new."""
    return Command(tmp_path / "home")


async def listing(waterflow: Command, url: str, *words: str, **environ: str) -> Result:
    """`waterflow list` against a server."""
    waterflow.environ |= environ
    return await asyncio.to_thread(waterflow.run, *words, "list", "--server", url)


class TestRefused:
    """One message: what is wrong, and what to do. It is not tried again: a certificate does not mend itself."""

    async def refused(self, waterflow: Command, url: str, *words: str) -> str:
        done = await listing(waterflow, url, *words)
        assert (done.code, done.stdout) == (4, "")
        begin = f"error: no answer from the server at {url}: "
        assert done.stderr.startswith(begin)
        return done.stderr.removeprefix(begin).rstrip("\n")

    async def test_an_authority_that_the_system_does_not_know(self, waterflow: Command, ours: Authority):
        async with Front.open(NOBODY, ours.issue("server")) as front:
            assert await self.refused(waterflow, f"https://{front.address}") == (
                "its certificate is not signed by an authority that this system trusts: set WATERFLOW_SERVER_CA to "
                "the certificate of the authority that signed it"
            )

    async def test_another_authority(self, waterflow: Command, ours: Authority, theirs: Authority):
        async with Front.open(NOBODY, theirs.issue("server")) as front:
            said = await self.refused(waterflow, f"https://{front.address}", "--server-ca", str(ours.ca))
            assert said == (
                f"its certificate is not signed by {ours.ca}: set WATERFLOW_SERVER_CA to the certificate of the "
                "authority that signed it"
            )

    async def test_an_expired_certificate(self, waterflow: Command, ours: Authority):
        async with Front.open(NOBODY, ours.issue("server", days=-1)) as front:
            said = await self.refused(waterflow, f"https://{front.address}", "--server-ca", str(ours.ca))
            assert said == "its certificate has expired; it has to be renewed there"

    async def test_a_certificate_for_another_name(self, waterflow: Command, ours: Authority):
        async with Front.open(NOBODY, ours.issue("server", address="127.0.0.9")) as front:
            said = await self.refused(waterflow, f"https://{front.address}", "--server-ca", str(ours.ca))
            assert said == "its certificate is for another name than 127.0.0.1: use an address that it has"

    async def test_no_certificate_where_one_is_asked_for(self, waterflow: Command, ours: Authority):
        async with Front.open(NOBODY, ours.issue("server"), ours.ca) as front:
            said = await self.refused(waterflow, f"https://{front.address}", "--server-ca", str(ours.ca))
            assert said == ("it asks for a client certificate: set WATERFLOW_SERVER_CERT and WATERFLOW_SERVER_KEY")

    async def test_a_certificate_of_another_authority(self, waterflow: Command, ours: Authority, theirs: Authority):
        mine = theirs.issue("me")
        own = ["--server-cert", str(mine.cert), "--server-key", str(mine.key)]
        async with Front.open(NOBODY, ours.issue("server"), ours.ca) as front:
            said = await self.refused(waterflow, f"https://{front.address}", "--server-ca", str(ours.ca), *own)
            assert said == f"it refuses the certificate {mine.cert} (tlsv1 alert unknown ca)"

    async def test_no_tls(self, waterflow: Command):
        async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del reader
            writer.write(b"this is not TLS\n" * 10)
            writer.close()

        server = await asyncio.start_server(hello, "127.0.0.1", 0)
        said = await self.refused(waterflow, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert said.startswith("it does not answer in TLS (")
        assert said.endswith("): check the port, or write http://")
        server.close()

    async def test_the_sdk_says_the_same_at_once(self, ours: Authority, theirs: Authority):
        async with (
            Front.open(NOBODY, theirs.issue("server")) as front,
            AsyncClient(f"https://{front.address}", ca=ours.ca) as client,
        ):
            with pytest.raises(ServerUnavailable, match="its certificate is not signed by"):
                await client.health()
            assert front.tries == 1


class TestFiles:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--server-ca", "gone.pem"], "WATERFLOW_SERVER_CA: gone.pem cannot be read: No such file or directory"),
            (
                ["--server-ca", "junk.pem"],
                "WATERFLOW_SERVER_CA: junk.pem cannot be used: no certificate or crl found",
            ),
            (
                ["--server-cert", "junk.pem"],
                "WATERFLOW_SERVER_CERT and WATERFLOW_SERVER_KEY belong together: mTLS takes both",
            ),
            (
                ["--server-cert", "junk.pem", "--server-key", "junk.pem"],
                "WATERFLOW_SERVER_CERT, WATERFLOW_SERVER_KEY: junk.pem and junk.pem cannot be used: not in the form "
                "PEM",
            ),
        ],
    )
    async def test_that_cannot_be_used(self, waterflow: Command, words: list[str], said: str):
        (waterflow.home / "junk.pem").write_text("no certificate")
        done = await listing(waterflow, "https://127.0.0.1:9", *words)
        assert (done.code, done.stdout, done.stderr.splitlines()[0]) == (2, "", f"error: {said}")


@pytest_asyncio.fixture
async def site(tmp_path: Path, temporal_binary: Path) -> AsyncIterator[Site]:
    """Temporal, and a server that a test starts by itself."""
    async with Site.create(tmp_path / "site") as made:
        made.kill_server()
        yield made


@pytest.mark.slow
class TestServer:
    async def test_over_tls_and_over_mtls(self, site: Site, waterflow: Command, ours: Authority, tmp_path: Path):
        pair, me = ours.issue("server"), ours.issue("me")
        url = f"https://127.0.0.1:{site.port}"
        trust = {"WATERFLOW_SERVER_CA": str(ours.ca)}
        own = ("--server-cert", str(me.cert), "--server-key", str(me.key))
        tls = {"WATERFLOW_TLS_CERT": str(pair.cert), "WATERFLOW_TLS_KEY": str(pair.key)}
        foreign = Authority(tmp_path / "clients", "Authority of clients")
        for client_ca in (None, ours, foreign):
            environ = tls | ({"WATERFLOW_TLS_CLIENT_CA": str(client_ca.ca)} if client_ca else {})
            started = await server(site, "start", "--background", **environ)
            assert (started.code, started.stderr) == (0, "")
            try:
                status = await server(site, "status", **environ)
                if client_ca is foreign:  # its own certificate is none of those, so it cannot be asked
                    assert status.code == 69
                    assert status.stdout.endswith(
                        "but it does not answer; tls.client_ca is set, so only who has a certificate of it can ask.\n"
                    )
                    continue
                assert status.code == 0
                assert "and is ready." in status.stdout
                done = await listing(waterflow, url, **trust)
                assert done.code == (4 if client_ca else 0)
                done = await listing(waterflow, url, *(own if client_ca else ()), **trust)
                assert (done.code, done.stderr) == (0, "there are no such runs\n")
            finally:
                stopped = await server(site, "stop", **environ)
                assert (stopped.code, stopped.stderr) == (0, "")


async def server(site: Site, verb: str, *words: str, **environ: str) -> Result:
    """`waterflow server`, beside the site's Temporal."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "WATERFLOW_"))}
    own |= {"TEMPORAL_ADDRESS": site.temporal.address, "WATERFLOW_DATA_DIR": str(site.root / "server")} | environ
    own |= {"WATERFLOW_KEYS_FILE": str(site.root / "keys.json")}
    line = [sys.executable, "-m", "waterflow_server", verb, "--port", str(site.port), *words]
    done = await asyncio.to_thread(subprocess.run, line, env=own, capture_output=True, timeout=240, check=False)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())
