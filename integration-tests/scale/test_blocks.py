"""Blocks that a roll-over interrupts go on as they had decided, with what is in them."""

from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from scale.conftest import Histories
from waterflow_sdk.client import AnswerRefused
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


class TestForEach:
    @pytest.mark.parametrize("limit", [1, 4])
    async def test_every_item_runs_once_and_its_results_stay_in_order(
        self, site: Site, tmp_path: Path, histories: Histories, limit: int
    ):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: loop
            vars: {{items: [{", ".join(map(str, range(12)))}]}}
            jobs:
              work:
                runs-on: web
                steps:
                  - for-each: ${{{{ vars.items }}}}
                    as: number
                    max-parallel: {limit}
                    steps:
                      - run: echo ${{{{ number }}}} >> {effects}
                      - {{id: square, run: 'echo "of=${{{{ number }}}}-${{{{ index }}}}" >> "$WATERFLOW_OUTPUT"'}}
                  - id: sum
                    run: echo "all=${{{{ join(steps.square.results.*.outputs.of) }}}}" >> "$WATERFLOW_OUTPUT"
                outputs: {{all: "${{{{ steps.sum.outputs.all }}}}"}}
            """
        )
        state = await run.wait(90)
        assert state.state is State.SUCCESS, state.error
        assert sorted(map(int, lines(effects))) == list(range(12))
        assert state.jobs[0].outputs["all"] == ",".join(f"{number}-{number}" for number in range(12))
        assert len(await histories(run, "work")) > 3

    async def test_items_are_not_evaluated_again(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        state = await site.run(
            f"""
            name: loop
            vars: {{items: [1, 2, 3, 4, 5, 6]}}
            jobs:
              work:
                runs-on: web
                steps:
                  - for-each: ${{{{ vars.items }}}}
                    steps:
                      - {{uses: vars/set, with: {{items: []}}}}
                      - run: echo ${{{{ item }}}} >> {effects}
            """
        )
        assert state.state is State.SUCCESS, state.error
        assert lines(effects) == ["1", "2", "3", "4", "5", "6"]

    async def test_on_a_step_leaves_the_outputs_of_the_last(self, site: Site):
        state = await site.run(
            """
            name: loop
            vars: {items: [1, 2, 3, 4, 5, 6, 7, 8]}
            jobs:
              work:
                runs-on: web
                steps:
                  - {id: each, for-each: "${{ vars.items }}", run: 'echo "v=${{ item }}" >> "$WATERFLOW_OUTPUT"'}
                  - run: echo
                  - run: echo
                  - run: echo
                outputs: {last: "${{ steps.each.outputs.v }}"}
            """
        )
        assert state.jobs[0].outputs == {"last": "8"}

    async def test_a_failure_stops_what_has_not_begun(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        state = await site.run(
            f"""
            name: loop
            vars: {{items: [1, 2, 3, 4, 5, 6, 7, 8]}}
            jobs:
              work:
                runs-on: web
                steps:
                  - for-each: ${{{{ vars.items }}}}
                    run: echo ${{{{ item }}}} >> {effects}; test ${{{{ item }}}} != 6
                  - {{if: failure(), run: echo failed >> {effects}}}
            """
        )
        assert state.state is State.FAILED
        assert lines(effects) == ["1", "2", "3", "4", "5", "6", "failed"]


class TestWhile:
    async def test_iterations_are_counted_over_roll_overs(self, site: Site, tmp_path: Path, histories: Histories):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: loop
            jobs:
              work:
                runs-on: web
                steps:
                  - while: ${{{{ steps.poll.outputs.state != 'ready' }}}}
                    delay: 20ms
                    steps:
                      - id: poll
                        run: |
                          echo x >> {effects}
                          test $(wc -l < {effects}) -lt 9 || echo "state=ready" >> "$WATERFLOW_OUTPUT"
                  - run: echo ${{{{ steps.poll.outputs.state }}}} >> {effects}
            """
        )
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert lines(effects) == ["x"] * 9 + ["ready"]
        assert len(await histories(run, "work")) > 2

    async def test_one_that_never_ends_fails_at_its_bound(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        state = await site.run(
            f"""
            name: loop
            jobs:
              work:
                runs-on: web
                steps: [{{while: "true", max-iterations: 9, steps: [run: echo x >> {effects}]}}]
            """
        )
        assert state.jobs[0].error.message.endswith("while: the condition still holds after 9 iterations")
        assert len(lines(effects)) == 9


class TestIf:
    async def test_the_branch_that_was_taken_goes_on_whatever_the_condition_says_now(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        body = "".join(f"                      - run: echo then-{number} >> {effects}\n" for number in range(8))
        state = await site.run(
            f"""
            name: branch
            vars: {{stage: prod}}
            jobs:
              work:
                runs-on: web
                steps:
                  - if: ${{{{ vars.stage == 'prod' }}}}
                    then:
                      - {{uses: vars/set, with: {{stage: test}}}}
{body}                    else: [run: echo else >> {effects}]
            """
        )
        assert state.state is State.SUCCESS, state.error
        assert lines(effects) == [f"then-{number}" for number in range(8)]


class TestParallel:
    async def test_a_short_branch_does_not_lose_the_long_one(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        items = ", ".join(map(str, range(10)))
        run = await site.submit(
            f"""
            name: parallel
            vars: {{items: [{items}]}}
            jobs:
              work:
                runs-on: web
                steps:
                  - parallel:
                      - {{id: slow, run: 'sleep 2; echo slow >> {effects}; echo "v=slow" >> "$WATERFLOW_OUTPUT"'}}
                      - for-each: ${{{{ vars.items }}}}
                        steps: [{{id: fast, run: 'echo ${{{{ item }}}} >> {effects}'}}]
                      - {{uses: sleep, with: {{duration: 1s}}}}
                  - run: echo ${{{{ steps.slow.outputs.v }}}}-after >> {effects}
            """
        )
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        found = lines(effects)
        assert sorted(found[:-1]) == sorted([*map(str, range(10)), "slow"])
        assert found[-1] == "slow-after"

    async def test_what_waits_for_people_does_not_hold_up_the_others(
        self, site: Site, tmp_path: Path, histories: Histories
    ):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: parallel
            vars: {{items: [1, 2, 3, 4, 5, 6, 7, 8, 9]}}
            jobs:
              work:
                runs-on: web
                steps:
                  - parallel:
                      - {{id: gate, uses: approval, with: {{message: Go?}}}}
                      - {{for-each: "${{{{ vars.items }}}}", run: 'echo ${{{{ item }}}} >> {effects}'}}
            """
        )

        async def all_there() -> bool:
            return effects.exists() and len(lines(effects)) == 9

        await until(all_there, "every iteration has run beside the approval")
        await run.approve(by="ops")
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert len(await histories(run, "work")) > 2

    async def test_an_approval_is_known_while_the_job_goes_on_in_new_histories(self, site: Site, tmp_path: Path):
        run = await site.submit(
            f"""
            name: parallel
            vars: {{items: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]}}
            jobs:
              work:
                runs-on: web
                steps:
                  - parallel:
                      - {{id: gate, uses: approval, with: {{message: Go?, approvers: [ops]}}}}
                      - {{for-each: "${{{{ vars.items }}}}", run: 'echo ${{{{ item }}}} >> {tmp_path}/effects'}}
            """
        )

        effects = tmp_path / "effects"

        async def begun() -> bool:
            return effects.exists()

        await until(begun, "an iteration has run, and so the approval waits")
        refusals: set[str] = set()
        while len(lines(effects)) < 20:
            with pytest.raises(AnswerRefused) as caught:
                await run.approve(by="somebody")
            refusals.add(caught.value.message)
        assert refusals == {"somebody may not answer this approval; ops may"}
        await run.approve(by="ops")
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error

    async def test_stop_ends_the_job_once_the_others_have_ended_their_steps(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: parallel
            jobs:
              work:
                runs-on: web
                steps:
                  - parallel:
                      - if: "true"
                        then:
                          - run: sleep 1; echo ended >> {effects}
                          - run: echo never >> {effects}
                      - uses: stop
                  - run: echo never >> {effects}
                finally: [run: echo finally >> {effects}]
            """
        )
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert lines(effects) == ["ended", "finally"]
