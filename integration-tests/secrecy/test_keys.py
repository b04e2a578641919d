"""Keys that change while runs are under way: new key to all readers, then sealing with it, then without the old one."""

import base64
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest_asyncio
from harness import Site
from harness.site import until

from waterflow_sdk.client import Run, ServerUnavailable
from waterflow_sdk.wire import State

FILE = """
    secrets: {TOKEN: {required: true}}
    jobs:
      work:
        runs-on: web
        steps:
          - run: test "$T" = hunter2-secret
            env: {T: "${{ secrets.TOKEN }}"}
          - {uses: wait, with: {for: go}}
          - run: test "$T" = hunter2-secret
            env: {T: "${{ secrets.TOKEN }}"}
"""


@pytest_asyncio.fixture
async def own_site(tmp_path: Path, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site for one test."""
    async with Site.create(tmp_path, agents=["web-01"]) as made:
        yield made


def write(site: Site, active: str, keys: Mapping[str, str]) -> None:
    """Replace the key file of server and agents in one step."""
    beside = site.root / "keys.new"
    beside.write_text(json.dumps({"active": active, "keys": dict(keys)}))
    beside.replace(site.root / "keys.json")


async def waits(site: Site, **given: object) -> Run:
    """A run that waits for its event."""
    run = await site.submit(FILE, secrets={"TOKEN": "hunter2-secret"}, **given)

    async def waiting() -> bool:
        jobs = (await run.status()).jobs
        return bool(jobs) and any(step.state is State.WAITING for step in jobs[0].steps)

    await until(waiting, "the run waits for its event")
    return run


async def until_logged(site: Site, text: str) -> None:
    """Wait until the server has said it."""
    log = site.root / "server.log"

    async def said() -> bool:
        return text in log.read_text()

    await until(said, f"the server says {text!r}")


class TestRotation:
    async def test_runs_go_on_while_keys_change(self, own_site: Site):
        old = json.loads((own_site.root / "keys.json").read_text())
        fresh = base64.b64encode(os.urandom(32)).decode()
        before = await waits(own_site)
        write(own_site, old["active"], {**old["keys"], "fresh": fresh})  # 1: everybody can read it
        write(own_site, "fresh", {**old["keys"], "fresh": fresh})  # 2: and seals with it

        async def seals() -> bool:
            await before.status()  # whoever has nothing to open or seal does not look at the file
            return "key 'fresh' seals from now on" in (own_site.root / "server.log").read_text()

        await until(seals, "the server seals with the new key")
        after = await waits(own_site)
        for run in (before, after):
            await run.send_event("go")
            assert (await run.wait(180)).state is State.SUCCESS
        database = b"".join(path.read_bytes() for path in (own_site.root / "temporal").glob("*.db*"))
        assert b"fresh" in database  # the key's id stands beside what it sealed
        own_site.kill_server()  # 3: all begin anew, with both
        await own_site.start_server()
        assert (await before.status()).state is State.SUCCESS

    async def test_a_key_that_is_gone_is_named_and_the_run_goes_on_when_it_is_back(self, own_site: Site):
        old = json.loads((own_site.root / "keys.json").read_text())
        run = await waits(own_site)
        own_site.kill_server()
        fresh = base64.b64encode(os.urandom(32)).decode()
        write(own_site, "fresh", {"fresh": fresh})
        await own_site.start_server()
        await until_logged(own_site, f"payload is sealed with key '{old['active']}', which is not in this key")
        write(own_site, old["active"], {**old["keys"], "fresh": fresh})  # what it has sealed meanwhile stays readable
        await run.send_event("go")

        async def succeeded() -> bool:
            try:
                return (await run.status("summary")).state is State.SUCCESS
            except ServerUnavailable:  # until Temporal tries the failed task of the run again
                return False

        await until(succeeded, "the run has ended with success", within=90)
