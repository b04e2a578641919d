"""Instances of a job at once: when they start, how many there are, and what a failure means for the others."""

from pathlib import Path

import pytest
from harness import Site

from waterflow_sdk.wire import JobState, State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def at_once(jobs: list[JobState]) -> int:
    """The most that ran at the same moment."""
    moments = [(job.started, 1) for job in jobs if job.started] + [(job.ended, -1) for job in jobs if job.ended]
    running = most = 0
    for _, change in sorted(moments, key=lambda each: (each[0], each[1])):
        running += change
        most = max(most, running)
    return most


class TestStart:
    async def test_is_when_the_jobs_own_needs_are_done_and_not_level_by_level(self, site: Site, tmp_path: Path):
        """``slow`` stands beside ``quick`` and ends only when ``behind``, a level below them, has run."""
        state = await site.run(f"""
            jobs:
              slow:
                runs-on: web
                steps: [{{run: 'until test -e {tmp_path}/reached; do sleep 0.05; done', timeout: 120s}}]
              quick: {{runs-on: web, steps: [run: 'true']}}
              behind: {{needs: quick, runs-on: web, steps: [run: touch {tmp_path}/reached]}}
        """)
        assert state.state is State.SUCCESS, state.error


class TestMaxParallel:
    @pytest.mark.parametrize(
        "over",
        [
            "strategy: {max-parallel: 2, matrix: {n: [1, 2, 3, 4, 5]}}",
            "strategy: {max-parallel: 1, matrix: {n: [1, 2, 3]}}",
        ],
    )
    async def test_is_the_most_that_run_at_once(self, site: Site, over: str):
        state = await site.run(f"jobs: {{work: {{runs-on: web, {over}, steps: [run: sleep 1]}}}}")
        assert state.state is State.SUCCESS, state.error
        assert at_once(state.jobs) == (2 if "max-parallel: 2" in over else 1)

    async def test_without_it_all_run_at_once(self, site: Site, tmp_path: Path):
        here = f"touch {tmp_path}/$N; until test $(ls {tmp_path} | wc -l) = 3; do sleep 0.05; done"
        state = await site.run(f"""
            jobs:
              work:
                runs-on: web
                strategy: {{matrix: {{n: [1, 2, 3]}}}}
                steps: [{{run: '{here}', env: {{N: "${{{{ matrix.n }}}}"}}, timeout: 120s}}]
        """)
        assert state.state is State.SUCCESS, state.error


class TestFailFast:
    FILE = """
        jobs:
          work:
            runs-on: web
            strategy: {matrix: {n: [1, 2]}, FAST}
            steps: [{if: matrix.n == 1, run: exit 3}, {if: matrix.n == 2, run: sleep SECONDS}]
    """

    async def test_is_the_default_of_a_matrix(self, site: Site):
        state = await site.run(self.FILE.replace("FAST", "").replace("SECONDS", "60"))
        first, second = state.jobs
        assert (first.state, second.state) == (State.FAILED, State.CANCELLED)
        assert second.reason == "fail-fast: work[1] failed"

    async def test_false_lets_the_others_end(self, site: Site):
        state = await site.run(self.FILE.replace("FAST", "fail-fast: false").replace("SECONDS", "1"))
        assert [job.state for job in state.jobs] == [State.FAILED, State.SUCCESS]
        assert state.state is State.FAILED

    async def test_of_a_for_each_is_the_same(self, site: Site):
        state = await site.run("""
            jobs:
              work:
                runs-on: web
                for-each: [1, 2]
                steps: [{if: item == 1, run: exit 3}, {if: item == 2, run: sleep 60}]
        """)
        assert [job.state for job in state.jobs] == [State.FAILED, State.CANCELLED]
