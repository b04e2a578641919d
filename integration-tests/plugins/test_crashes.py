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
import ctypes
from waterflow_sdk.node import Node

class Boom(Node):
    """Crashes; another attempt is as good as the first, it says."""
    name = "demo/crash"
    version = "1.0.0"
    retry_safe = True
    def execute(self, ctx, inputs):
        ctypes.string_at(0)
'''


def workflow(step: dict[str, object]) -> str:
    """A workflow of one step. It is JSON, which is YAML as well."""
    return json.dumps({"name": "crash", "jobs": {"one": {"runs-on": "crash", "steps": [step]}}})


class TestCrash:
    async def test_fails_the_step_of_the_node_and_no_other(self, host: Host, tmp_path: Path) -> None:
        """The step beside it is a process of the keeper, and goes on with the next start."""
        plugins, go = tmp_path / "plugins", tmp_path / "go"
        plugins.mkdir()
        (plugins / "crash.py").write_text(NODE)
        agent = host.site.start_agent("crash-01", ["crash"], PLUGIN_DIR=str(plugins))
        await host.site.until_online("crash-01")
        run = await host.site.client.submit(workflow({"run": f"while [ ! -e {go} ]; do sleep 0.05; done; echo whole"}))

        async def begun() -> bool:
            return any(step.state is State.RUNNING for job in (await run.status()).jobs for step in job.steps)

        await until(begun, "the step beside it runs")
        crashing = await host.site.client.submit(workflow({"uses": "demo/crash", "retry": {"max-attempts": 1}}))
        assert agent.process is not None
        assert await asyncio.to_thread(agent.process.wait, 100) == -11
        host.site.start_agent("crash-01")
        state = await crashing.wait(100)
        error = state.jobs[0].steps[0].error
        assert error is not None
        assert (error.code, error.message) == (
            "node-crashed",
            "demo/crash has a defect: it crashed the whole agent "
            f"(Segmentation fault in {plugins}/crash.py, line 11, in execute)",
        )
        go.touch()
        assert (await run.wait(100)).state is State.SUCCESS
        agent.end()
