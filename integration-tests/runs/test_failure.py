"""Attempts that fail: retried as the policy says, ended at their time-out, told with host, step and last lines."""

import pytest
from harness import Site
from harness.processes import lives

from waterflow_sdk.client import InvalidWorkflow
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestRetry:
    async def test_every_attempt_is_kept(self, site: Site):
        run = await site.run("""
            name: third-time
            jobs:
              work:
                runs-on: web
                steps:
                  - run: echo x >> tries; test $(wc -l < tries) -ge 3
                    retry: {max-attempts: 5, initial-interval: 50ms}
        """)
        assert run.state is State.SUCCESS, run.error
        attempts = run.jobs[0].steps[0].attempts
        assert [(attempt.number, attempt.state) for attempt in attempts] == [
            (1, State.FAILED),
            (2, State.FAILED),
            (3, State.SUCCESS),
        ]
        assert all(attempt.log is not None for attempt in attempts)

    async def test_only_the_named_exit_codes_are_worth_another(self, site: Site):
        run = await site.run("""
            name: exit-codes
            jobs:
              work:
                runs-on: web
                steps: [{run: exit 4, retry: {max-attempts: 3, on-exit-codes: [75]}}]
        """)
        assert [attempt.exit_code for attempt in run.jobs[0].steps[0].attempts] == [4]


class TestTimeout:
    async def test_a_step_that_takes_too_long_is_ended_with_all_its_processes(self, site: Site, tmp_path):
        pids = tmp_path / "pids"
        run = await site.run(f"""
            name: too-long
            jobs:
              work:
                runs-on: web
                steps: [{{run: 'sleep 600 & echo $$ $! > {pids}; sleep 600', timeout: 2s}}]
        """)
        assert run.state is State.FAILED
        attempt = run.jobs[0].steps[0].attempts[0]
        assert attempt.state is State.TIMED_OUT
        assert (attempt.ended - attempt.started).total_seconds() < 300
        assert [lives(int(pid)) for pid in pids.read_text().split()] == [False, False]

    async def test_a_job_ends_at_its_own_and_finally_still_runs(self, site: Site):
        run = await site.run("""
            name: job-timeout
            jobs:
              work:
                runs-on: web
                timeout: 4s
                steps: [run: sleep 60]
                finally: [run: echo cleaned]
        """)
        job = run.jobs[0]
        assert job.state is State.TIMED_OUT
        assert job.reason == "the job took longer than 4 s"
        assert [step.state for step in job.steps] == [State.TIMED_OUT, State.SUCCESS]


class TestError:
    async def test_says_host_step_and_exit_code_with_the_last_lines(self, site: Site):
        run = await site.run("""
            name: told
            jobs:
              work:
                runs-on: {agent: web-01}
                steps: [{name: Break it, run: "echo first; echo 'the disk is full' >&2; exit 7"}]
        """)
        error = run.jobs[0].error
        assert error.message.startswith("step 'Break it' on web-01: ")
        assert "exit code 7" in error.message
        assert "the disk is full" in str(error.details)


class TestRollback:
    async def test_undoes_completed_steps_in_reverse_before_on_failure_and_finally(self, site: Site, tmp_path):
        order = tmp_path / "order"
        run = await site.run(f"""
            name: saga
            jobs:
              work:
                runs-on: {{agent: web-01}}
                env: {{ORDER: {order}}}
                steps:
                  - {{run: echo one >> $ORDER, rollback: {{run: echo undo-one >> $ORDER}}}}
                  - {{run: echo two >> $ORDER, rollback: {{run: echo undo-two >> $ORDER}}}}
                  - {{run: exit 1, rollback: {{run: echo undo-three >> $ORDER}}}}
                on-failure: [run: echo failed >> $ORDER]
                finally: [run: echo finally >> $ORDER]
        """)
        assert run.state is State.FAILED
        assert order.read_text().split() == ["one", "two", "undo-two", "undo-one", "failed", "finally"]

    @pytest.mark.parametrize(
        "loop",
        [
            """{for-each: [eu, us], as: region, id: made, env: {R: "${{ region }}"}, run: 'echo "R=$R" >> $ORDER',
                rollback: {env: {R: "${{ region }}-${{ index }}"}, run: 'echo "undo $R" >> $ORDER'}}""",
            """{for-each: [eu, us], as: region, steps: [
                {id: made, run: 'echo "name=${{ region }}-${{ index }}" >> "$WATERFLOW_OUTPUT"',
                 rollback: {env: {R: "${{ steps.made.outputs.name }}"}, run: 'echo "undo $R" >> $ORDER'}}]}""",
        ],
        ids=["names-of-a-repeated-step", "results-of-a-block"],
    )
    async def test_in_a_loop_sees_its_own_iteration(self, site: Site, tmp_path, loop: str):
        order = tmp_path / "order"
        run = await site.run(f"""
            name: saga
            jobs:
              work:
                runs-on: {{agent: web-01}}
                env: {{ORDER: {order}}}
                steps:
                  - {loop}
                  - run: exit 1
        """)
        assert run.state is State.FAILED
        undone = [line for line in order.read_text().splitlines() if line.startswith("undo")]
        assert undone == ["undo us-1", "undo eu-0"]


class TestNotAvailable:
    async def test_is_refused_at_submit_and_never_half_run(self, site: Site):
        with pytest.raises(InvalidWorkflow) as refused:
            await site.submit("""\
                name: later
                jobs:
                  gate:
                    runs-on: web
                    steps:
                      - uses: actions/checkout@v4
                """)
        assert str(refused.value).startswith(
            "workflow.yaml:6: uses: actions/checkout: action steps are not available in this version"
        )
