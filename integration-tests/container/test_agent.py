"""An agent in a container is an agent as any other: it works, drains, comes back, and is killed like one.

Its containers are run with what `compose.yaml` says: read-only, without capabilities, with a volume for the state.
"""

from __future__ import annotations

import asyncio

import pytest
from harness.files import lines_of, until_lines
from harness.site import until

from waterflow_sdk.client import Run
from waterflow_sdk.wire import State

from ._contained import SHARED, USER, Contained, Container

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.asyncio(loop_scope="session")]


PLUGIN = """
from waterflow_sdk.node import NodeContext, NodeOutput, node

class Greeting(NodeOutput):
    text: str

@node(name="demo/greet", version="1.0.0")
async def greet(ctx: NodeContext, name: str) -> Greeting:
    \"\"\"Says hello.\"\"\"
    return Greeting(text=f"hello {name}")
"""


async def started(contained: Contained, name: str, *options: str, **environ: str) -> Container:
    """An agent in a new container, when it is online. ``options`` are further ones of ``docker run``."""
    container = await asyncio.to_thread(contained.start, name, *options, **environ)
    await contained.site.until_online(name)
    return container


def work(group: str, script: str, *, loss: str = "fail") -> str:
    return f"""
        name: contained
        jobs:
          work:
            runs-on: {group}
            agent-loss: {{policy: {loss}}}
            steps:
              - run: |
                  {script}
    """


async def output_of(run: Run) -> list[str]:
    async with run.logs(follow=True) as lines:
        return [line.text async for line in lines if line.event is None]


async def id_of(contained: Contained, name: str) -> str:
    (found,) = [agent.id for agent in await contained.site.client.agents() if agent.name == name]
    return found


class TestStep:
    async def test_runs_as_the_images_user_on_a_read_only_root_and_its_output_arrives(self, contained: Contained):
        await started(contained, "works")
        script = "id -u; pwd; touch /x 2>&1 || echo 'echo ran' > /tmp/x; chmod +x /tmp/x; /tmp/x"
        uid, place, *rest = await output_of(await contained.site.submit(work("works", script)))
        assert uid == str(USER)
        assert place.startswith("/var/lib/waterflow/work/")
        assert rest == ["touch: cannot touch '/x': Read-only file system", "ran"]

    async def test_may_be_a_plug_ins_from_the_mounted_folder(self, contained: Contained):
        await started(contained, "extends")
        (contained.plugins / "greet.py").write_text(PLUGIN)

        async def known() -> bool:
            (agent,) = [each for each in await contained.site.client.agents() if each.name == "extends"]
            return "demo/greet" in agent.nodes

        await until(known, "the agent has the plug-in's node")
        state = await contained.site.run("""
            name: extended
            jobs:
              work:
                runs-on: extends
                steps: [{id: greet, uses: demo/greet, with: {name: you}}]
                outputs: {text: "${{ steps.greet.outputs.text }}"}
        """)
        assert (state.state, state.jobs[0].outputs) == (State.SUCCESS, {"text": "hello you"})

    async def test_may_be_another_users_where_the_agent_is_root_of_its_container(self, contained: Contained):
        needed = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
        options = ("--user=0:0", *(f"--cap-add={name}" for name in needed))
        await started(contained, "deputises", *options, WATERFLOW_RUN_AS="nobody")
        run = await contained.site.submit("""
            name: deputised
            jobs: {work: {runs-on: deputises, run-as: nobody, steps: [{run: 'id -un; echo > file; stat -c %U file'}]}}
        """)
        assert await output_of(run) == ["nobody", "nobody"]


class TestStop:
    async def test_drains_the_running_step_ends_within_the_grace(self, contained: Contained):
        begun, go = contained.shared / "drains.begun", contained.shared / "drains.go"
        container = await started(contained, "drains", WATERFLOW_STOP_GRACE="100s")
        script = f"echo $$ >> {SHARED}/{begun.name}; while ! test -e {SHARED}/{go.name}; do sleep 0.05; done; echo done"
        run = await contained.site.submit(work("drains", script))
        await until_lines(begun, 1)
        stop = asyncio.create_task(asyncio.to_thread(container.stop))

        async def draining() -> bool:
            return "SIGTERM: stopping" in await asyncio.to_thread(container.log)

        await until(draining, "the agent has got the signal")
        go.touch()
        assert await stop == 0
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert await output_of(run) == ["done"]

    async def test_what_does_not_end_within_the_grace_is_ended_and_handed_back(self, contained: Contained):
        begun = contained.shared / "hands-back.begun"
        container = await started(contained, "hands-back", WATERFLOW_STOP_GRACE="1s")
        run = await contained.site.submit(work("hands-back", f"echo $$ >> {SHARED}/{begun.name}; sleep 300"))
        await until_lines(begun, 1)
        assert await asyncio.to_thread(container.stop) == 0
        (attempt,) = (await run.wait(180)).jobs[0].steps[0].attempts
        assert attempt.error is not None
        assert (attempt.state, attempt.error.code) == (State.FAILED, "agent-stopped")


class TestVolume:
    async def test_makes_a_new_container_the_same_agent(self, contained: Contained):
        first = await started(contained, "returns")
        before = await id_of(contained, "returns")
        await asyncio.to_thread(first.stop)
        await started(contained, "returns")
        assert await id_of(contained, "returns") == before


class TestKilled:
    async def test_container_takes_its_steps_along_and_the_policy_says_what_follows(self, contained: Contained):
        """The keeper is killed with it: nothing is there that the next container could adopt."""
        begun = contained.shared / "killed.begun"
        container = await started(contained, "killed")
        script = (
            f'echo "$WATERFLOW_ATTEMPT" >> {SHARED}/{begun.name}; test "${{WATERFLOW_ATTEMPT##*.}}" = 2 || sleep 300'
        )
        run = await contained.site.submit(work("killed", script, loss="reassign"))
        await until_lines(begun, 1)
        before = await id_of(contained, "killed")
        await asyncio.to_thread(container.kill)
        await started(contained, "killed")
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        attempts = state.jobs[0].steps[0].attempts
        assert [(attempt.state, attempt.error and attempt.error.code) for attempt in attempts] == [
            (State.FAILED, "agent-restarted"),
            (State.SUCCESS, None),
        ]
        assert {attempt.agent and attempt.agent.id for attempt in attempts} == {before}
        assert len(lines_of(begun)) == 2


class TestOrphan:
    async def test_that_nobody_waits_for_does_not_stay_as_a_zombie(self, contained: Contained):
        """It becomes a child of the container's first process, which is not the agent."""
        container = await started(contained, "reaps")
        pid = await asyncio.to_thread(container.shell, "sleep 0.1 & echo $!")

        async def gone() -> bool:
            return await asyncio.to_thread(container.shell, f"test -e /proc/{pid} || echo gone") == "gone"

        await until(gone, "the orphan has been collected")
        assert await asyncio.to_thread(container.shell, "cat /proc/1/comm") == "tini"
