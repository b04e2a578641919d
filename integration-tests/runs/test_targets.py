"""Where jobs run: any member of a group, all of them, one agent."""

import pytest
from harness import Site

from waterflow_sdk.client import InvalidWorkflow
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestAny:
    async def test_all_steps_of_a_job_share_a_host_and_a_workspace(self, site: Site):
        run = await site.run("""
            name: shared
            jobs:
              work:
                runs-on: web
                steps:
                  - run: echo here > left-behind.txt
                  - {id: found, run: 'echo "text=$(cat left-behind.txt)" >> "$WATERFLOW_OUTPUT"'}
        """)
        assert run.state is State.SUCCESS, run.error
        assert run.jobs[0].steps[1].outputs["text"] == "here"
        assert run.jobs[0].agent.name in {"web-01", "web-02"}


class TestAll:
    async def test_every_member_is_an_instance_of_its_own(self, site: Site):
        run = await site.run("""
            name: everybody
            jobs:
              inspect:
                runs-on: {group: web, target: all}
                steps: [{id: name, run: 'echo "name=${{ agent.name }}" >> "$WATERFLOW_OUTPUT"'}]
                outputs: {name: "${{ steps.name.outputs.name }}"}
              report:
                needs: inspect
                runs-on: db
                steps:
                  - id: list
                    env: {R: "${{ join(needs.inspect.results.*.outputs.name, ' ') }}"}
                    run: echo "r=$R" >> "$WATERFLOW_OUTPUT"
        """)
        assert run.state is State.SUCCESS, run.error
        assert [(job.instance, job.agent.name) for job in run.jobs[:2]] == [
            ("inspect[web-01]", "web-01"),
            ("inspect[web-02]", "web-02"),
        ]
        assert run.jobs[2].steps[0].outputs["r"] == "web-01 web-02"

    async def test_one_failing_host_does_not_stop_the_others(self, site: Site):
        run = await site.run("""
            name: one-bad
            jobs:
              check:
                runs-on: {group: web, target: all}
                steps: [{run: 'test "${{ agent.name }}" != web-01'}]
        """)
        assert run.state is State.FAILED
        assert [job.state for job in run.jobs] == [State.FAILED, State.SUCCESS]
        assert run.error.message.startswith("job check[web-01]: step")


class TestAgent:
    async def test_named(self, site: Site):
        run = await site.run("""
            name: named
            jobs:
              one: {runs-on: {agent: db-01}, steps: [run: echo here]}
        """)
        assert run.jobs[0].agent.name == "db-01"


class TestUnknown:
    async def test_group_is_refused_at_submit_with_the_nearest_name(self, site: Site):
        with pytest.raises(InvalidWorkflow) as refused:
            await site.submit("name: x\njobs:\n  a:\n    runs-on: wep\n    steps: [run: echo]\n")
        diagnostic = refused.value.diagnostics[0]
        assert (diagnostic["line"], diagnostic["column"]) == (4, 14)
        assert "wep" in diagnostic["message"]
        assert "web" in diagnostic["hint"]
