"""A node that crashes the agent itself, in C: the next start of the agent says which one it was."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from harness.site import until

from waterflow_sdk.wire import State

from .conftest import Host

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

NODE = '''
import asyncio, ctypes
from waterflow_sdk.node import Node

class Boom(Node):
    """Crashes."""
    name = "{name}"
    version = "1.0.0"
{body}
'''

REPEATED = """
    retry_safe = True
    def execute(self, ctx, inputs):
        ctypes.string_at(0)
"""

ADOPTED = """
    resumable = True
    async def execute(self, ctx, inputs):
        kept = asyncio.create_task(ctx.run_process(["sh", "-c", "echo up; exec sleep 600"], on_stdout=self.up))
        await asyncio.Event().wait()
    def up(self, lines):
        ctypes.string_at(0)
"""


def workflow(step: dict[str, object]) -> str:
    """A workflow of one step. It is JSON, which is YAML as well."""
    return json.dumps({"name": "crash", "jobs": {"one": {"runs-on": "crash", "steps": [step]}}})


class TestCrash:
    @pytest.mark.parametrize(
        ("name", "body", "place"),
        [
            pytest.param("repeated", REPEATED, "line 12, in execute", id="of a node that a lost attempt would repeat"),
            pytest.param("adopted", ADOPTED, "line 15, in up", id="of a node that the next start would adopt"),
        ],
    )
    async def test_fails_the_step_of_the_node_and_no_other(
        self, host: Host, tmp_path: Path, name: str, body: str, place: str
    ) -> None:
        """The step beside it is a process of the keeper, and goes on with the next start."""
        plugins, go, node = tmp_path / "plugins", tmp_path / "go", f"crash/{name}"
        plugins.mkdir()
        (plugins / "crash.py").write_text(NODE.format(name=node, body=body))
        agent = host.site.start_agent(f"crash-{name}", ["crash"], PLUGIN_DIR=str(plugins))

        async def known() -> bool:
            return any(each.manifest.name == node and each.agents for each in await host.site.client.nodes())

        await until(known, f"{node} is known")
        run = await host.site.client.submit(
            workflow({"run": f"touch {tmp_path}/up; while [ ! -e {go} ]; do sleep 0.05; done; echo whole"})
        )

        async def begun() -> bool:
            return await asyncio.to_thread((tmp_path / "up").exists)

        await until(begun, "the step beside it runs")
        crashing = await host.site.client.submit(workflow({"uses": node, "retry": {"max-attempts": 1}}))
        assert agent.process is not None
        assert await asyncio.to_thread(agent.process.wait, 100) == -11
        host.site.start_agent(agent.name)
        state = await crashing.wait(100)
        error = state.jobs[0].steps[0].error
        assert error is not None
        assert (error.code, error.message) == (
            "node-crashed",
            f"{node} has a defect: it crashed the whole agent (Segmentation fault in {plugins}/crash.py, {place})",
        )
        go.touch()
        assert (await run.wait(100)).state is State.SUCCESS
        agent.end()
