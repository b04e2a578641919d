"""Code that would take the agent along: the agent stays online, says what is wrong, and loses no step beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from harness.site import until

from waterflow_sdk.wire import AgentStatus, State, StepState

from .conftest import Host

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

NODE = '''
import asyncio, os, sys, time
from waterflow_sdk.node import Node

async def leave():
    sys.exit("bye")

class Hostile(Node):
    """Harms the agent in the way its input says."""
    name = "{name}"
    version = "1.0.0"
    {kind}def execute(self, ctx, inputs):
        {body}
'''


def workflow(*steps: dict[str, object]) -> str:
    """A workflow of one job. It is JSON, which is YAML as well."""
    return json.dumps({"name": "hostile", "jobs": {"one": {"runs-on": "web", "steps": steps}}})


@asynccontextmanager
async def bystander(host: Host, tmp_path: Path) -> AsyncGenerator[None]:
    """A step that runs on the same agent meanwhile; it must end well, and by itself."""
    up, go = tmp_path / "up", tmp_path / "go"
    run = await host.site.client.submit(
        workflow({"run": f"touch {up}; while [ ! -e {go} ]; do sleep 0.05; done; echo whole"})
    )

    async def begun() -> bool:
        return await asyncio.to_thread(up.exists)

    await until(begun, "the bystander runs")
    process = host.site.agents["web-01"].process
    assert process is not None
    yield
    assert process.poll() is None, "the agent has ended"
    assert (await host.site.client.agent("web-01")).status is AgentStatus.ONLINE
    go.touch()
    state = await run.wait(180)
    assert state.state is State.SUCCESS, state
    assert [attempt.state for attempt in state.jobs[0].steps[0].attempts] == [State.SUCCESS]


class TestAtImport:
    @pytest.mark.parametrize(
        ("name", "source", "reason"),
        [
            ("exits", "import os\nos._exit(3)\n", "SystemExit: os._exit would end the whole agent; "),
            ("crashes", "import ctypes\nctypes.string_at(0)\n", "it ended the process that tried to load it (SIGSEGV)"),
            ("raises", "raise RuntimeError('no')\n", "RuntimeError: no"),
            ("prints", "import sys\nprint('to stdout')\nprint('to stderr', file=sys.stderr)\n", "NotANode: "),
        ],
    )
    async def test_it_is_told_and_a_step_that_runs_is_not_lost(
        self, host: Host, tmp_path: Path, name: str, source: str, reason: str
    ) -> None:
        file = f"{name}.py"
        async with bystander(host, tmp_path):
            host.drop(file, source)

            async def told() -> bool:
                agent = await host.site.client.agent("web-01")
                found = [each.reason for each in agent.broken_nodes if each.source == file]
                return bool(found) and found[0].startswith(reason)

            await until(told, f"the agent says what is wrong with {file}")
        (host.plugins / file).unlink()


class TestWhileItRuns:
    @pytest.mark.parametrize(
        ("name", "kind", "body", "code", "said"),
        [
            ("exits", "async ", "os._exit(3)", "node-crashed", "os._exit would end the whole agent"),
            ("exits-in-task", "async ", "await asyncio.create_task(leave())", "node-crashed", "SystemExit: bye"),
            ("cancels", "async ", "raise asyncio.CancelledError", "node-crashed", "CancelledError"),
            ("exits-in-thread", "", "sys.exit('bye')", "node-crashed", "SystemExit: bye"),
            ("execs", "", "os.execvp('true', ['true'])", "node-crashed", "os.execv would end the whole agent"),
            ("loops", "async ", "exec('while True: pass')", "node-blocks", "kept the agent's event loop"),
            ("sleeps", "async ", "time.sleep(600)", "node-blocks", "kept the agent's event loop"),
            ("mangles", "", "raise ValueError('file ' + chr(0xdcff))", "node-crashed", "ValueError: file \ufffd"),
        ],
    )
    async def test_the_step_fails_and_says_why(
        self, host: Host, tmp_path: Path, name: str, kind: str, body: str, code: str, said: str
    ) -> None:
        step = await failed(
            host, tmp_path, f"hostile/{name}", NODE.format(name=f"hostile/{name}", kind=kind, body=body)
        )
        assert step.state is State.FAILED
        assert step.error is not None
        assert step.error.code == code
        assert said in step.error.message


async def failed(host: Host, tmp_path: Path, node: str, source: str) -> StepState:
    """The step that runs a node, dropped into the plug-in directory, beside another step."""
    file = f"custom/{node.partition('/')[2].replace('-', '_')}.py"
    host.drop(file, source)

    async def known() -> bool:
        process = host.site.agents["web-01"].process
        assert process is not None
        assert process.poll() is None, "the agent has ended"
        return any(entry.manifest.name == node and entry.agents for entry in await host.site.client.nodes())

    await until(known, f"{node} is known")
    async with bystander(host, tmp_path):
        run = await host.site.client.submit(workflow({"uses": node}))
        state = await run.wait(120)
    (host.plugins / file).unlink()
    return state.jobs[0].steps[0]
