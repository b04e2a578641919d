"""Agents and their keys: who may send logs, and what becomes of the logs of those who may not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from harness.site import until
from msgspec import structs

from waterflow_sdk.client import Forbidden, Run, Unauthorized
from waterflow_sdk.wire import LogStreamKind, State
from waterflow_server.auth import KeyTable
from waterflow_server.auth._secret import make_key

from ._secure import SecureSite

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

LINES = 200
COUNT = f"""
name: count
jobs:
  count:
    runs-on: {{group: doubtful, target: all}}
    steps: [{{run: 'seq 1 {LINES}'}}]
"""


async def bad_keys(site: SecureSite) -> dict[str, tuple[str, str]]:
    """By agent: a key that is not good, and what its agent is told."""
    expired = await site.make_key("short", "agent")
    await expire(site, expired)
    revoked = await site.make_key("gone", "agent")
    (gone,) = [key.id for key in await site.client.keys.list() if key.name == "gone"]
    await site.client.keys.revoke("gone")
    forged, id = make_key()
    site.keys["forged"] = forged
    return {
        "forged": (forged, f"(401 API key {id} is not known here: it was revoked long ago, or it is not a key of this"),
        "expired": (expired, f"(401 API key {expired[3:15]} (short) has expired at "),
        "revoked": (revoked, f"(401 API key {gone} (gone) was revoked at "),
        "foreign": (
            await site.make_key("other", "agent", agent="other"),
            "(403 the API key other belongs to agent 'other'; 'foreign' cannot send logs with it); "
            "check server.api_key; they are kept and sent later",
        ),
    }


async def expire(site: SecureSite, key: str) -> None:
    """Let the time of a key be over, which nobody can do by the API, and wait until the server knows."""

    def edit(table: KeyTable) -> KeyTable:
        over = datetime.now(UTC) - timedelta(hours=1)
        return KeyTable(keys=[structs.replace(each, expires=over) if each.id in key else each for each in table.keys])

    await (await site.replica()).change(edit)
    async with site.client_of(key) as client:

        async def refused() -> bool:
            try:
                await client.nodes()
            except Unauthorized:
                return True
            except Forbidden:  # agents see nothing
                return False
            return False

        await until(refused, "the key has expired")


async def numbers(run: Run) -> dict[str, list[str]]:
    """The output of each agent, as the server has it."""
    found: dict[str, list[str]] = {}
    async with run.logs(stream=LogStreamKind.STDOUT) as lines:
        async for line in lines:
            found.setdefault(line.agent, []).append(line.text)
    return found


class TestLogs:
    async def test_of_an_agent_with_its_key_arrive(self, site: SecureSite) -> None:
        run = await site.submit("{name: hello, jobs: {work: {runs-on: web, steps: [{run: echo over TLS}]}}}")
        async with run.logs(follow=True, stream=LogStreamKind.STDOUT) as lines:
            assert [line.text async for line in lines] == ["over TLS"]

    @pytest.mark.timeout(400)  # above all that it waits for
    async def test_of_others_wait_for_a_right_key_and_nothing_is_lost(self, site: SecureSite) -> None:
        keys = await bad_keys(site)
        for name, (key, _) in keys.items():
            site.start_agent(name, ["doubtful"], key=key)
        await site.until_online(*keys)

        # Steps end as they do with any key: what a server says to a log is nothing to them.
        run = await site.submit(COUNT)
        assert (await run.wait(90)).state is State.SUCCESS
        for name, (_, told) in keys.items():
            await until_says(site, name, f"step logs cannot be shipped: the server denies it {told}")
        assert await numbers(run) == {}
        spools = {name: len(list((site.agents[name].state_dir / "logs").rglob("*.log*"))) for name in keys}
        assert all(spools.values()), spools

        for name in keys:
            site.agents[name].kill()
            site.start_agent(name, ["doubtful"], key=await site.make_key(name, "agent", agent=name))

        async def all_there() -> bool:
            return sum(map(len, (await numbers(run)).values())) >= LINES * len(keys)

        await until(all_there, "the logs are shipped with the right keys", within=90)
        wanted = [str(number) for number in range(1, LINES + 1)]
        assert Counter(map(tuple, (await numbers(run)).values())) == {tuple(wanted): len(keys)}
        for name in keys:
            site.agents.pop(name).end()

    async def test_of_an_agent_whose_key_is_rotated_while_it_runs(self, site: SecureSite) -> None:
        """Its key stands in a file: another one in it is used without a restart."""
        file = site.root / "rotated.key"
        file.write_text(await site.make_key("rotated", "agent", agent="rotated"))
        agent = site.start_agent("rotated", ["rotated"], WATERFLOW_API_KEY_FILE=str(file))
        await site.until_online("rotated")
        workflow = "{name: hello, jobs: {work: {runs-on: rotated, steps: [{run: echo hello}]}}}"
        assert await shipped(await site.submit(workflow)) == {"rotated": ["hello"]}

        (old,) = [key.id for key in await site.client.keys.list() if key.name == "rotated"]
        renewed = site.root / "rotated.key.new"
        renewed.write_text(await site.make_key("rotated", "agent", agent="rotated"))
        await site.client.keys.revoke(old)
        run = await site.submit(workflow)
        await until_says(site, "rotated", f"the server denies it (401 API key {old} (rotated) was revoked at ")
        renewed.replace(file)
        assert await shipped(run) == {"rotated": ["hello"]}
        assert agent.process is not None
        assert agent.process.poll() is None
        site.agents.pop("rotated").end()


async def shipped(run: Run) -> dict[str, list[str]]:
    """The output of a run, once the server has some."""

    async def there() -> bool:
        return bool(await numbers(run))

    await until(there, "the output is there", within=90)
    return await numbers(run)


async def until_says(site: SecureSite, name: str, text: str) -> None:
    """Wait for a text in the log of an agent."""
    log = site.root / f"agent-{name}.log"

    async def said() -> bool:
        return text in log.read_text()

    try:
        await until(said, "the agent says it", within=60)
    except AssertionError as error:
        raise AssertionError(f"{text!r} is not in:\n{log.read_text()}") from error
