"""People and programs with keys: what each may do, over TLS, by SDK and by command."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.command import Command
from harness.site import until
from secrecy._search import found_below, found_in

from waterflow_sdk.client import AsyncClient, Forbidden, Unauthorized
from waterflow_sdk.wire import LogStreamKind, State

from ._secure import SecureSite

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

HELLO = "{name: hello, jobs: {work: {runs-on: web, steps: [{run: echo hello}]}}}"
WAITS = """
name: waits
vars: {{file: "{file}"}}
jobs:
  work:
    runs-on: web
    steps:
      - run: |
          echo first
          until [ -e "$FILE" ]; do sleep 0.1; done
          echo second
        env: {{FILE: "${{{{ vars.file }}}}"}}
"""


async def refused(client: AsyncClient) -> None:
    """Nothing is answered: a list, a state, a log, events, a submit."""
    for call in (
        client.agents(),
        client.run("r1").status(),
        client.submit(HELLO),
        client.groups.list(),
        client.keys.list(),
    ):
        with pytest.raises(Unauthorized):
            await call
    with pytest.raises(Unauthorized):
        async with client.run("r1").logs(follow=True) as lines:
            await anext(aiter(lines))
    with pytest.raises(Unauthorized):
        async with client.run("r1").events() as events:
            await anext(aiter(events))


class TestScopes:
    async def test_without_a_key_there_is_health_and_nothing_else(self, site: SecureSite) -> None:
        async with site.client_of(None) as nobody:
            assert (await nobody.health()).status == "ok"
            await refused(nobody)

    async def test_who_reads_starts_nothing(self, site: SecureSite) -> None:
        async with site.client_of(await site.make_key("reader", "read")) as reader:
            assert "web-01" in [agent.name for agent in await reader.agents()]
            with pytest.raises(Forbidden, match="this needs an API key with the scope run; that of reader has read"):
                await reader.submit(HELLO)

    async def test_runs_tell_who_started_them(self, site: SecureSite) -> None:
        async with site.client_of(await site.make_key("ci", "run")) as ci:
            run = await ci.submit(HELLO)
            state = await run.wait(60)
            assert (state.state, state.started_by) == (State.SUCCESS, "ci")
            with pytest.raises(Forbidden):
                await run.delete()
            with pytest.raises(Forbidden):
                await ci.keys.list()


class TestRevoking:
    async def test_a_follower_gets_nothing_any_more(self, site: SecureSite, tmp_path: Path) -> None:
        go = tmp_path / "go"
        run = await site.submit(WAITS.format(file=go))
        got: list[str] = []
        async with site.client_of(await site.make_key("follower", "read")) as follower:

            async def follow() -> None:
                async with follower.run(run.id).logs(follow=True, stream=LogStreamKind.STDOUT) as lines:
                    async for line in lines:
                        got.append(line.text)

            following = asyncio.create_task(follow())

            async def begun() -> bool:
                return got == ["first"] or following.done()

            await until(begun, "the first line has come")
            await site.client.keys.revoke("follower")
            go.touch()
            with pytest.raises(Unauthorized, match="was revoked at"):
                await asyncio.wait_for(following, 60)
        assert got == ["first"]
        assert (await run.wait(60)).state is State.SUCCESS

    async def test_by_another_server_counts_here_too(self, site: SecureSite) -> None:
        key = await site.make_key("elsewhere", "read")
        replica = await site.replica()
        async with site.client_of(key) as client:
            await client.agents()
            await replica.change(lambda keys: keys.revoking("elsewhere", datetime.now(UTC)))

            async def noticed() -> bool:
                try:
                    await client.agents()
                except Unauthorized:
                    return True
                return False

            await until(noticed, "the server has read the keys again")

    async def test_holds_after_a_restart_of_the_server(self, site: SecureSite) -> None:
        living, gone = await site.make_key("living", "read"), await site.make_key("ended", "read")
        await site.client.keys.revoke("ended")
        site.kill_server()
        await site.start_server()
        async with site.client_of(living) as client, site.client_of(gone) as other:
            await client.agents()
            await refused(other)


class TestCommand:
    async def test_from_create_to_revoke(self, site: SecureSite, tmp_path: Path) -> None:
        command = Command(tmp_path / "home")

        async def run(*words: str, key: str) -> tuple[int, str, str]:
            environ = {"WATERFLOW_SERVER": site.url, "WATERFLOW_SERVER_CA": str(site.ca), "WATERFLOW_API_KEY": key}
            result = await asyncio.to_thread(lambda: command.run(*words, **environ))
            return result.code, result.stdout, result.stderr

        admin = site.keys["admin"]
        code, out, err = await run("key", "create", "bob", "--scope", "read", "--expires", "1d", key=admin)
        assert code == 0, err
        bob = site.keys["bob"] = out.strip()
        assert (await run("agent", "list", key=bob))[0] == 0
        code, out, _ = await run("key", "list", key=admin)
        assert f"{bob[3:15]}  bob " in out
        assert (await run("key", "revoke", "bob", key=admin))[:2] == (0, f"key {bob[3:15]} (bob) is revoked\n")
        code, _, err = await run("agent", "list", key=bob)
        assert code != 0
        assert err.startswith(f"error: API key {bob[3:15]} (bob) was revoked at ")


class TestSecrecy:
    """After all that the others did with keys, the end of this folder's session."""

    async def test_no_file_holds_a_key(self, site: SecureSite) -> None:
        assert found_below(site.root, site.keys) == {}

    async def test_no_process_shows_one(self, site: SecureSite) -> None:
        shown = b"\n".join(_command_lines())
        assert found_in(shown, site.keys) == set()


def _command_lines() -> list[bytes]:
    found: list[bytes] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found.append((entry / "cmdline").read_bytes())
            except OSError:
                continue
    return found
