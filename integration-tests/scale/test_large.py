"""Many iterations at once, and results that are too large."""

from pathlib import Path

import pytest
from harness import Site

from scale.conftest import HISTORY_EVENTS, Histories
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestThousandsOfIterations:
    @pytest.mark.parametrize("count", [1500, pytest.param(5000, marks=pytest.mark.soak)])
    async def test_that_need_no_agent_come_to_their_end(self, site: Site, count: int):
        state = await site.run(
            f"""
            name: counting
            jobs:
              work:
                runs-on: web
                steps: [{{while: "true", max-iterations: {count}, steps: [{{uses: vars/set, with: {{n: 1}}}}]}}]
            """,
        )
        assert state.state is State.FAILED
        assert state.jobs[0].error.message.endswith(f"while: the condition still holds after {count} iterations")

    @pytest.mark.parametrize("count", [45, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
    async def test_on_an_agent_stay_within_bounded_histories(
        self, site: Site, tmp_path: Path, histories: Histories, count: int
    ):
        effects = tmp_path / "effects"
        items = ", ".join(map(str, range(count)))
        run = await site.submit(
            f"""
            name: loop
            jobs:
              work:
                runs-on: web
                steps:
                  - {{for-each: [{items}], max-parallel: 3, run: 'echo ${{{{ item }}}} >> {effects}'}}
            """
        )
        state = await run.wait(300 if count < 100 else 850)
        assert state.state is State.SUCCESS, state.error
        assert sorted(map(int, effects.read_text().split())) == list(range(count))
        assert max(await histories(run, "work")) < 3 * HISTORY_EVENTS


class TestOutputsOverTheLimit:
    async def test_are_a_failure_that_continue_on_error_tolerates(self, site: Site):
        state = await site.run(
            """
            name: large
            jobs:
              work:
                runs-on: web
                steps:
                  - {id: big, continue-on-error: true, run: 'printf "big=%070000d\\n" 0 >> "$WATERFLOW_OUTPUT"'}
                  - {id: after, run: 'echo "seen=${{ steps.big.outcome }}" >> "$WATERFLOW_OUTPUT"'}
                outputs: {seen: "${{ steps.after.outputs.seen }}"}
            """
        )
        assert (state.state, state.jobs[0].outputs) == (State.SUCCESS, {"seen": "failure"})
        big = (await site.client.run(state.id).status()).jobs[0].steps[0]
        assert (big.state, big.conclusion, big.error.code) == (State.FAILED, State.SUCCESS, "output-too-large")

    @pytest.mark.parametrize(
        ("step", "said"),
        [
            ("data/transform", "the outputs take 80,"),
            ("vars/set", "what is set takes 80,"),
        ],
    )
    async def test_of_control_nodes_are_one_too(self, site: Site, step: str, said: str):
        state = await site.run(
            f"""
            name: large
            vars: {{text: "{"x" * 40_000}", all: ""}}
            jobs:
              work:
                runs-on: web
                steps:
                  - {{uses: {step}, with: {{all: "${{{{ vars.text }}}}${{{{ vars.text }}}}"}}}}
            """
        )
        assert state.state is State.FAILED
        assert state.jobs[0].error.code == "outputs-too-large"
        assert said in state.jobs[0].error.message
