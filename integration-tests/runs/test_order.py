"""Jobs start when their needs have ended; what they give is seen by those after them."""

from pathlib import Path

import pytest
from harness import Site

from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def states(run) -> dict[str, State]:
    return {job.instance: job.state for job in run.jobs}


class TestNeeds:
    async def test_outputs_reach_the_next_job(self, site: Site):
        run = await site.run("""
            name: outputs
            jobs:
              build:
                runs-on: web
                steps:
                  - id: make
                    run: echo "version=1.2.3" >> "$WATERFLOW_OUTPUT"
                outputs:
                  version: ${{ steps.make.outputs.version }}
              deploy:
                needs: build
                runs-on: web
                steps:
                  - id: show
                    env: {VERSION: "${{ needs.build.outputs.version }}"}
                    run: echo "deployed=$VERSION" >> "$WATERFLOW_OUTPUT"
                outputs:
                  deployed: ${{ steps.show.outputs.deployed }}
        """)
        assert run.state is State.SUCCESS, run.error
        assert run.jobs[1].outputs == {"deployed": "1.2.3"}
        assert run.jobs[0].ended <= run.jobs[1].started

    async def test_a_failed_need_skips_what_follows_unless_it_always_runs(self, site: Site):
        run = await site.run("""
            name: failed-need
            jobs:
              build: {runs-on: web, steps: [run: exit 3]}
              deploy: {needs: build, runs-on: web, steps: [run: echo never]}
              report: {needs: [build, deploy], if: always(), runs-on: web, steps: [run: echo always]}
              alarm: {needs: deploy, if: failure(), runs-on: web, steps: [run: echo failed]}
        """)
        assert run.state is State.FAILED
        assert states(run) == {
            "build": State.FAILED,
            "deploy": State.SKIPPED,
            "report": State.SUCCESS,
            "alarm": State.SUCCESS,
        }
        deploy = run.jobs[1]
        assert deploy.reason == "build failed"

    async def test_independent_jobs_run_at_the_same_time(self, site: Site, tmp_path: Path):
        """Each waits until the other is there."""
        both = f"until test $(ls {tmp_path} | wc -l) = 2; do sleep 0.05; done"
        run = await site.run(f"""
            name: at-once
            jobs:
              one: {{runs-on: web, steps: [run: touch {tmp_path}/one; {both}]}}
              two: {{runs-on: web, steps: [run: touch {tmp_path}/two; {both}]}}
        """)
        assert run.state is State.SUCCESS, run.error
        one, two = run.jobs
        assert max(one.started, two.started) < min(one.ended, two.ended)


class TestConditions:
    async def test_a_false_if_skips_the_step_with_its_reason(self, site: Site):
        run = await site.run("""
            name: condition
            vars: {stage: test}
            jobs:
              deploy:
                runs-on: web
                steps:
                  - {id: no, if: "vars.stage == 'prod'", run: echo never}
                  - {id: yes, if: "vars.stage == 'test'", run: echo once}
        """)
        no, yes = run.jobs[0].steps
        assert (no.state, yes.state) == (State.SKIPPED, State.SUCCESS)
        assert no.reason == "if: success() && (vars.stage == 'prod') was false"

    async def test_continue_on_error_lets_the_next_step_run(self, site: Site):
        run = await site.run("""
            name: tolerant
            jobs:
              check:
                runs-on: web
                steps:
                  - {id: shaky, run: exit 1, continue-on-error: true}
                  - {id: after, run: echo on}
        """)
        shaky, after = run.jobs[0].steps
        assert run.state is State.SUCCESS
        assert (shaky.state, shaky.conclusion, after.state) == (State.FAILED, State.SUCCESS, State.SUCCESS)


class TestEnvironment:
    async def test_file_job_and_step_each_override_the_wider_one(self, site: Site):
        run = await site.run("""
            name: environment
            env: {A: file, B: file, C: file}
            jobs:
              show:
                runs-on: web
                env: {B: job, C: job}
                steps:
                  - id: seen
                    env: {C: step}
                    run: echo "seen=$A $B $C" >> "$WATERFLOW_OUTPUT"
        """)
        assert run.jobs[0].steps[0].outputs["seen"] == "file job step"

    async def test_env_set_holds_for_the_later_steps_of_the_job(self, site: Site):
        run = await site.run("""
            name: env-set
            jobs:
              show:
                runs-on: web
                steps:
                  - {uses: env/set, with: {name: COLOUR, value: green}}
                  - {id: seen, run: 'echo "seen=$COLOUR" >> "$WATERFLOW_OUTPUT"'}
        """)
        assert run.jobs[0].steps[1].outputs["seen"] == "green"


class TestBlocks:
    async def test_parallel_loop_and_branch_nest(self, site: Site):
        run = await site.run("""
            name: blocks
            vars: {regions: [eu, us]}
            jobs:
              all:
                runs-on: web
                steps:
                  - parallel:
                      - {id: left, run: echo left}
                      - {id: right, run: echo right}
                  - for-each: ${{ vars.regions }}
                    as: region
                    steps:
                      - if: ${{ region == 'eu' }}
                        then:
                          - {id: deploy, run: 'echo "to=${{ region }}" >> "$WATERFLOW_OUTPUT"'}
        """)
        assert run.state is State.SUCCESS, run.error
        parallel, loop = run.jobs[0].steps
        assert [step.path for step in parallel.steps] == ["steps[0].parallel[0]", "steps[0].parallel[1]"]
        assert [step.path for step in loop.steps] == ["steps[1][0].steps[0]", "steps[1][1].steps[0]"]
        assert loop.steps[0].steps[0].outputs["to"] == "eu"
        assert loop.steps[1].steps == []


class TestControlNodes:
    async def test_sleep_runs_without_an_agent(self, site: Site):
        run = await site.run("""
            name: sleepy
            jobs:
              wait: {runs-on: web, steps: [{uses: sleep, with: {duration: 100ms}}]}
        """)
        assert run.state is State.SUCCESS, run.error
        assert run.jobs[0].agent is None


class TestWholeExpressions:
    async def test_env_with_and_runs_on_may_each_be_one_expression(self, site: Site):
        run = await site.run("""
            name: whole
            vars:
              where: {group: web, target: any}
              settings: {COLOUR: green, SIZE: 7}
            jobs:
              work:
                runs-on: ${{ vars.where }}
                env: ${{ vars.settings }}
                steps:
                  - {id: seen, run: 'echo "seen=$COLOUR $SIZE" >> "$WATERFLOW_OUTPUT"'}
        """)
        assert run.state is State.SUCCESS, run.error
        assert run.jobs[0].steps[0].outputs["seen"] == "green 7"
