"""Nodes that come and go while an agent runs, from the file to the run that uses them."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from harness.site import until

from waterflow_sdk.wire import AgentStatus, State

from .conftest import PACKS, Host

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

WITHIN = 60.0
"""Seconds. Benchmarks have the figures: alone it is less than one."""

NODE = '''
import asyncio
from pathlib import Path
from waterflow_sdk.node import Node

class Demo(Node):
    """Says a word, once a file is there."""
    name = "{name}"
    version = "{version}"
    async def execute(self, ctx, inputs):
        ctx.log.info("begun")
        while inputs.get("until") and not Path(inputs["until"]).exists():
            await asyncio.sleep(0.05)
        return {{"word": "{version}"}}
'''

RUN = """
jobs:
  one:
    runs-on: {group}
    steps:
      - id: said
        uses: {node}
        with: {{until: '{until}'}}
    outputs:
      word: ${{{{ steps.said.outputs.word }}}}
"""


async def version(host: Host, node: str) -> str:
    """The newest version that the catalog has; empty if it has none."""
    found = [entry for entry in await host.site.client.nodes() if entry.manifest.name == node and entry.agents]
    return found[0].manifest.version if found else ""


async def until_known(host: Host, node: str, wanted: str, what: str) -> float:
    """Waits until the catalog has that version. Seconds that it took, by the clock of this process."""
    begun = time.monotonic()

    async def known() -> bool:
        return await version(host, node) == wanted

    await until(known, f"{node} is {wanted!r} in the catalog")
    took = time.monotonic() - begun
    print(f"\n{what}: the catalog knows after {took:.2f} s")  # noqa: T201
    return took


async def said(host: Host, node: str) -> str:
    """What the node says in a run."""
    state = await host.site.run(RUN.format(group="web", node=node, until=""))
    assert state.state is State.SUCCESS, state
    return state.jobs[0].outputs["word"]


class TestPluginDirectory:
    async def test_a_file_is_known_used_replaced_and_removed_without_a_restart(self, host: Host) -> None:
        for number in ("1.0.0", "2.0.0"):
            begun = time.monotonic()
            host.drop("custom/life.py", NODE.format(name="demo/life", version=number))
            assert await until_known(host, "demo/life", number, f"file written ({number})") < WITHIN
            assert await said(host, "demo/life") == number
            print(f"file written ({number}): a run has used it after {time.monotonic() - begun:.2f} s")  # noqa: T201
        (host.plugins / "custom/life.py").unlink()
        assert await until_known(host, "demo/life", "", "file removed") < WITHIN
        checked = await host.site.client.validate(RUN.format(group="web", node="demo/life", until=""))
        assert not checked.valid

    async def test_a_step_that_runs_ends_with_the_old_code(self, host: Host, tmp_path: Path) -> None:
        go = tmp_path / "go"
        host.drop("old.py", NODE.format(name="demo/old", version="1.0.0"))
        await until_known(host, "demo/old", "1.0.0", "file written")
        running = await host.site.submit(RUN.format(group="web", node="demo/old", until=go))

        async def begun() -> bool:
            state = await running.status()
            return any(step.state is State.RUNNING for job in state.jobs for step in job.steps)

        await until(begun, "the step runs")
        host.drop("old.py", NODE.format(name="demo/old", version="2.0.0"))
        await until_known(host, "demo/old", "2.0.0", "file replaced")
        assert await said(host, "demo/old") == "2.0.0"
        assert (await running.status()).state is State.RUNNING
        go.touch()
        assert (await running.wait(180)).jobs[0].outputs["word"] == "1.0.0"

    async def test_a_broken_file_is_shown_and_the_old_version_goes_on(self, host: Host) -> None:
        host.drop("broken.py", NODE.format(name="demo/broken", version="1.0.0"))
        await until_known(host, "demo/broken", "1.0.0", "file written")
        host.drop("broken.py", "raise RuntimeError('no')")

        async def shown() -> bool:
            agent = await host.site.client.agent("web-01")
            return [(each.source, each.reason) for each in agent.broken_nodes] == [("broken.py", "RuntimeError: no")]

        await until(shown, "the agent says what is broken")
        agent = await host.site.client.agent("web-01")
        assert "line 1, in <module>" in agent.broken_nodes[0].traceback
        assert agent.status is AgentStatus.ONLINE
        assert await said(host, "demo/broken") == "1.0.0"

        (host.plugins / "broken.py").unlink()
        await until_known(host, "demo/broken", "", "file removed")
        assert (await host.site.client.agent("web-01")).broken_nodes == []

    async def test_many_changes_in_a_row_leave_the_agent_online(self, host: Host) -> None:
        for number in range(30):
            host.drop("many.py", NODE.format(name="demo/many", version=f"1.0.{number}"))
            await until_known(host, "demo/many", f"1.0.{number}", "file written")
            agent = await host.site.client.agent("web-01")
            assert agent.status is AgentStatus.ONLINE
        assert await said(host, "demo/many") == "1.0.29"


class TestPacks:
    async def test_one_in_python_is_installed_used_and_uninstalled(self, host: Host, checksum_wheel: Path) -> None:
        await asyncio.to_thread(host.pip, "install", "--no-deps", str(checksum_wheel))
        assert await until_known(host, "checksum/check", "1.0.0", "pip install has ended") < WITHIN
        state = await host.site.run(
            """
            jobs:
              one:
                runs-on: web
                steps:
                  - run: printf hello > file
                  - id: made
                    uses: checksum/make
                    with: {path: file}
                  - uses: checksum/check
                    with:
                      path: file
                      sha256: ${{ steps.made.outputs.digest }}
            """
        )
        assert state.state is State.SUCCESS, state
        await asyncio.to_thread(host.pip, "uninstall", "-y", "waterflow-checksum")
        assert await until_known(host, "checksum/check", "", "pip uninstall has ended") < WITHIN

    async def test_one_in_another_language_is_dropped_in(self, host: Host) -> None:
        shutil.copytree(PACKS / "disk-usage", host.plugins / "custom" / "disk-usage")
        assert await until_known(host, "disk/usage", "1.0.0", "folder copied") < WITHIN
        state = await host.site.run(
            """
            jobs:
              one:
                runs-on: web
                steps:
                  - id: disk
                    uses: disk/usage
                    with: {path: /, limit: 100}
                outputs:
                  mount: ${{ steps.disk.outputs.mount }}
                  percent: ${{ steps.disk.outputs.percent }}
            """
        )
        assert state.state is State.SUCCESS, state
        assert state.jobs[0].outputs["mount"] == "/"
        assert 0 < state.jobs[0].outputs["percent"] <= 100

    async def test_its_inputs_are_validated_before_a_run(self, host: Host) -> None:
        target = host.plugins / "custom" / "disk-checked"
        shutil.copytree(PACKS / "disk-usage", target)
        manifest = (target / "node.yaml").read_text().replace("name: disk/usage", "name: disk/checked")
        (target / "node.yaml").write_text(manifest)
        await until_known(host, "disk/checked", "1.0.0", "folder copied")
        checked = await host.site.client.validate(
            "jobs:\n  one:\n    runs-on: web\n    steps:\n      - uses: disk/checked\n        with: {limt: 80}\n"
        )
        assert not checked.valid
