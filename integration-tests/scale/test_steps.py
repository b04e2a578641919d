"""A long job goes on in new runs of its workflow: whatever its steps leave for later ones lives on."""

from pathlib import Path

import pytest
from harness import Site

from scale.conftest import HISTORY_EVENTS, Histories
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


class TestSteps:
    async def test_run_once_each_in_order_within_bounded_histories(
        self, site: Site, tmp_path: Path, histories: Histories
    ):
        effects = tmp_path / "effects"
        steps = "".join(f"              - run: echo {number} >> {effects}\n" for number in range(18))
        run = await site.submit(f"name: many\njobs:\n  work:\n    runs-on: web\n    steps:\n{steps}")
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert lines(effects) == [str(number) for number in range(18)]
        lengths = await histories(run, "work")
        assert len(lengths) > 3
        assert max(lengths) < 2 * HISTORY_EVENTS

    async def test_the_state_tree_shows_all_of_them_with_their_attempts(self, site: Site):
        steps = "".join("              - run: echo\n" for _ in range(12))
        run = await site.submit(f"name: many\njobs:\n  work:\n    runs-on: web\n    steps:\n{steps}")
        await run.wait(180)
        (job,) = (await run.status()).jobs
        assert [step.path for step in job.steps] == [f"steps[{number}]" for number in range(12)]
        assert {(step.state, len(step.attempts)) for step in job.steps} == {(State.SUCCESS, 1)}
        assert job.started is not None
        assert job.started <= min(step.started for step in job.steps if step.started)

    async def test_outputs_environment_variables_paths_and_masks_stay(self, site: Site):
        state = await site.run(
            """
            name: kept
            vars: {base: 1}
            jobs:
              work:
                runs-on: web
                steps:
                  - {id: first, run: 'echo "value=7" >> "$WATERFLOW_OUTPUT"; echo "SEEN=yes" >> "$GITHUB_ENV"'}
                  - run: 'echo "::add-mask::hidden-word"; echo "/opt/own/bin" >> "$GITHUB_PATH"'
                  - {uses: vars/set, with: {counter: 3}}
                  - run: echo
                  - run: echo
                  - run: echo
                  - run: echo
                  - run: echo
                  - id: last
                    run: |
                      told="$SEEN ${{ steps.first.outputs.value }} ${{ vars.counter }} ${{ vars.base }} ${PATH%%:*}"
                      echo "all=$told" >> "$WATERFLOW_OUTPUT"
                      echo "hidden-word is not shown"
                outputs: {all: "${{ steps.last.outputs.all }} ${{ steps.first.outcome }}"}
            """
        )
        assert state.state is State.SUCCESS, state.error
        assert state.jobs[0].outputs["all"] == "yes 7 3 1 /opt/own/bin success"
        run = site.client.run(state.id)
        shown = "".join([record.text async for record in run.logs()])
        assert "*** is not shown" in shown
        assert "hidden-word" not in shown

    async def test_a_failure_is_known_to_later_steps(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        state = await site.run(
            f"""
            name: failing
            jobs:
              work:
                runs-on: web
                steps:
                  - {{id: soft, run: exit 3, continue-on-error: true}}
                  - {{run: 'echo ${{{{ steps.soft.outcome }}}} ${{{{ steps.soft.conclusion }}}} >> {effects}'}}
                  - run: exit 4
                  - {{if: always(), run: echo always >> {effects}}}
                  - {{if: always(), run: echo always >> {effects}}}
                  - {{if: always(), run: echo always >> {effects}}}
                  - {{if: failure(), run: echo failure >> {effects}}}
                  - run: echo never >> {effects}
            """
        )
        assert (state.state, state.jobs[0].error.details["step"]) == (State.FAILED, "steps[2]")
        assert lines(effects) == ["failure success", "always", "always", "always", "failure"]


class TestAttempts:
    async def test_their_numbers_go_on_and_are_spent_once(self, site: Site, tmp_path: Path, histories: Histories):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: attempts
            jobs:
              work:
                runs-on: web
                steps:
                  - retry: {{max-attempts: 8, initial-interval: 50ms, backoff-coefficient: 1}}
                    run: echo x >> {effects}; test $(wc -l < {effects}) -ge 7
            """
        )
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        (step,) = (await run.status()).jobs[0].steps
        assert [attempt.number for attempt in step.attempts] == [1, 2, 3, 4, 5, 6, 7]
        assert len(lines(effects)) == 7
        assert len(await histories(run, "work")) > 1

    async def test_they_are_spent_over_roll_overs_too(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        state = await site.run(
            f"""
            name: attempts
            jobs:
              work:
                runs-on: web
                steps:
                  - retry: {{max-attempts: 6, initial-interval: 50ms, backoff-coefficient: 1}}
                    run: echo x >> {effects}; exit 5
            """
        )
        assert state.jobs[0].error.details["exit_code"] == 5
        assert len(lines(effects)) == 6

    async def test_a_job_that_is_tried_again_begins_anew_and_remembers_its_turns(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: turns
            jobs:
              work:
                runs-on: {{agent: web-01}}
                retry: {{max-attempts: 3, initial-interval: 50ms}}
                steps:
                  - run: echo a >> {effects}
                  - run: echo b >> {effects}
                  - run: echo c >> {effects}
                  - run: test $(grep -c c {effects}) -ge 3
            """
        )
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert lines(effects) == ["a", "b", "c"] * 3
        job = (await run.status()).jobs[0]
        assert [len(step.attempts) for step in job.steps] == [3, 3, 3, 3]
