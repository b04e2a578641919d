"""The threshold: failures of the whole group, what happens past it, and who lets a rollout go on."""

import asyncio
from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.wire import RunState, State

from ._files import batches, effects, finished, gates, grid, mend, rollout, spoil, until_waiting

pytestmark = pytest.mark.asyncio(loop_scope="session")

DONE, FAILED, CANCELLED = State.SUCCESS, State.FAILED, State.CANCELLED


def reasons(run: RunState) -> set[str]:
    """Why hosts were cancelled."""
    return {job.reason for job in run.jobs if job.state is CANCELLED}


class TestFail:
    async def test_a_bad_canary_ends_the_rollout_and_nobody_else_is_touched(self, site: Site, tmp_path: Path):
        spoil(tmp_path, "h-1")
        run = await finished(site, rollout("batches: [1, 50%, 100%]", tmp_path))
        assert effects(tmp_path) == ["h-1"]
        assert grid(run) == {"h-1": FAILED, **{f"h-{number}": CANCELLED for number in range(2, 7)}}
        assert batches(run) == [(1, FAILED, 1), (2, CANCELLED, 2), (3, CANCELLED, 3)]
        assert reasons(run) == {"rollout stopped: 1 of 6 hosts failed (h-1); max-failures is 0"}
        assert run.state is FAILED
        assert run.error is not None
        assert run.error.message.startswith("job deploy[h-1]: step ")

    async def test_what_runs_already_goes_on_to_its_end(self, site: Site, tmp_path: Path):
        spoil(tmp_path, "h-2")
        run = await finished(site, rollout("batch: 3", tmp_path))
        assert sorted(effects(tmp_path)) == ["h-1", "h-2", "h-3"]
        assert [job.state for job in run.jobs] == [DONE, FAILED, DONE, CANCELLED, CANCELLED, CANCELLED]

    async def test_within_a_batch_nobody_else_starts(self, site: Site, tmp_path: Path):
        spoil(tmp_path, "h-2")
        await finished(site, rollout("max-failures: 0", tmp_path, more="strategy: {max-parallel: 1}"))
        assert effects(tmp_path) == ["h-1", "h-2"]


class TestMaxFailures:
    @pytest.mark.parametrize("limit", ["2", "34%"])
    async def test_are_borne_over_the_whole_group_and_those_after_run(self, site: Site, tmp_path: Path, limit: str):
        spoil(tmp_path, "h-1", "h-3")
        yaml = rollout(f"batch: 2\nmax-failures: {limit}", tmp_path)
        yaml += f"  after: {{needs: deploy, runs-on: {{agent: h-1}}, steps: [run: echo after >> {tmp_path}/effects]}}\n"
        run = await finished(site, yaml)
        assert run.state is DONE, run.error
        assert [host for host, state in grid(run).items() if state is FAILED] == ["h-1", "h-3"]
        assert effects(tmp_path)[-1] == "after"
        assert (run.rollouts[0].failed, run.rollouts[0].max_failures, run.rollouts[0].state) == (2, 2, DONE)

    async def test_one_more_is_past_it(self, site: Site, tmp_path: Path):
        spoil(tmp_path, "h-1", "h-2", "h-3")
        run = await finished(site, rollout("batch: 1\nmax-failures: 33%", tmp_path))
        assert effects(tmp_path) == ["h-1", "h-2"]
        assert reasons(run) == {"rollout stopped: 2 of 6 hosts failed (h-1, h-2); max-failures is 33%"}


class TestPause:
    POLICY = "batch: 2\non-threshold: pause"

    async def test_the_run_waits_with_the_reason_and_an_approval_goes_on_with_the_rest(
        self, site: Site, tmp_path: Path
    ):
        spoil(tmp_path, "h-1")
        run = await site.client.submit(rollout(self.POLICY, tmp_path))
        waiting = await until_waiting(run)
        assert waiting.reason == (
            "deploy[batch-1#threshold]: approval: 1 of 6 hosts failed (h-1); max-failures is 0: "
            "go on with the other hosts?"
        )
        assert sorted(effects(tmp_path)) == ["h-1", "h-2"]
        await run.approve(by="ops")
        await run.wait(180)
        state = await run.status("full")
        assert sorted(effects(tmp_path)) == [f"h-{number}" for number in range(1, 7)]
        assert gates(state) == {"deploy[batch-1#threshold]": DONE}
        assert state.state is FAILED  # somebody let it go on; past its threshold it was all the same

    async def test_a_rejection_ends_it(self, site: Site, tmp_path: Path):
        spoil(tmp_path, "h-1")
        run = await site.client.submit(rollout(self.POLICY, tmp_path))
        await until_waiting(run)
        await run.reject(by="boss", comment="not today")
        await run.wait(180)
        state = await run.status("full")
        assert sorted(effects(tmp_path)) == ["h-1", "h-2"]
        assert len(reasons(state)) == 1
        assert "rejected by boss: not today" in reasons(state).pop()

    async def test_a_cancel_ends_it(self, site: Site, tmp_path: Path):
        spoil(tmp_path, "h-1")
        run = await site.client.submit(rollout(self.POLICY, tmp_path))
        await until_waiting(run)
        await run.cancel("enough")
        state = await run.wait(180)
        assert grid(state)["h-6"] is CANCELLED
        assert (state.state, state.reason) == (CANCELLED, "enough")

    async def test_as_many_more_may_fail_until_it_asks_again(self, site: Site, tmp_path: Path):
        spoil(tmp_path, "h-1", "h-3")
        run = await site.client.submit(rollout("batch: 1\non-threshold: pause", tmp_path))
        await until_waiting(run)
        await run.approve()

        async def asked_again() -> bool:
            return "deploy[batch-3#threshold-2]" in gates(await run.status("summary"))

        await until(asked_again, "it asks again")
        await until_waiting(run)
        await run.reject()
        await run.wait(180)
        assert effects(tmp_path) == ["h-1", "h-2", "h-3"]


class TestCheck:
    async def test_on_each_host_of_the_batch(self, site: Site, tmp_path: Path):
        check = f"check: [run: 'echo check-${{{{ agent.name }}}} >> {tmp_path}/effects']"
        run = await finished(site, rollout(f"batches: [1, 100%]\n{check}", tmp_path, group="half"))
        assert effects(tmp_path)[:2] == ["h-1", "check-h-1"]
        assert sorted(effects(tmp_path)[2:]) == ["check-h-2", "check-h-3", "h-2", "h-3"]
        assert gates(run) == {
            "deploy[batch-1#check,h-1]": DONE,
            "deploy[batch-2#check,h-2]": DONE,
            "deploy[batch-2#check,h-3]": DONE,
        }

    async def test_that_fails_counts_as_the_threshold(self, site: Site, tmp_path: Path):
        run = await finished(site, rollout("batch: 1\nmax-failures: 100%\ncheck: [run: exit 3]", tmp_path))
        assert effects(tmp_path) == ["h-1"]
        assert run.state is FAILED
        (reason,) = reasons(run)
        assert reason.startswith(
            "rollout stopped: the check of batch 1 failed: deploy[batch-1#check,h-1]: step 'exit 3' on h-1: "
        ), reason

    async def test_of_control_nodes_alone_runs_once_and_needs_no_agent(self, site: Site, tmp_path: Path):
        policy = "batch: 50%\ncheck: [{uses: sleep, with: {duration: 10ms}}]"
        run = await finished(site, rollout(policy, tmp_path))
        assert gates(run) == {"deploy[batch-1#check]": DONE, "deploy[batch-2#check]": DONE}


class TestPauseBetween:
    async def test_a_duration(self, site: Site, tmp_path: Path):
        run = await finished(site, rollout("batch: 50%\npause-between: 1500ms", tmp_path))
        first, second = run.rollouts[0].batches
        assert first.ended is not None
        assert second.started is not None
        assert (second.started - first.ended).total_seconds() >= 1.5

    async def test_an_approval(self, site: Site, tmp_path: Path):
        run = await site.client.submit(rollout("batch: 50%\npause-between: approval", tmp_path))
        waiting = await until_waiting(run)
        assert waiting.reason == (
            "deploy[batch-1#approval]: approval: batch 1 of 2 is done, 3 of 6 hosts: go on with batch 2?"
        )
        await run.approve()
        assert (await run.wait(180)).state is DONE

    async def test_a_refused_approval_cancels_the_rest_and_fails_the_job(self, site: Site, tmp_path: Path):
        run = await site.client.submit(rollout("batch: 50%\npause-between: approval", tmp_path))
        await until_waiting(run)
        await run.reject(by="boss")
        state = await run.wait(180)
        assert state.state is FAILED
        assert list(grid(state).values()) == [DONE] * 3 + [CANCELLED] * 3


class TestControl:
    async def test_a_pause_of_the_run_holds_the_next_batch(self, site: Site, tmp_path: Path):
        run = await site.client.submit(rollout("batch: 50%\npause-between: 5s", tmp_path))

        async def first_is_done() -> bool:
            return (await run.status("summary")).rollouts[:1] != [] and len(effects(tmp_path)) == 3

        await until(first_is_done, "the first batch is done")
        await run.pause("lunch")
        assert (await run.status("summary")).state is State.PAUSED
        await asyncio.sleep(6)  # longer than the pause between the batches
        assert len(effects(tmp_path)) == 3
        await run.resume()
        assert (await run.wait(180)).state is DONE


class TestRetry:
    async def test_touches_no_host_that_was_kept(self, site: Site, tmp_path: Path):
        spoil(tmp_path, "h-2")
        run = await site.client.submit(rollout("batches: [1, 50%, 100%]", tmp_path))
        assert (await run.wait(180)).state is FAILED
        mend(tmp_path, "h-2")
        before = effects(tmp_path)
        again = await (await run.retry()).wait(180)
        assert again.state is DONE, again.error
        assert sorted(effects(tmp_path)[len(before) :]) == ["h-4", "h-5", "h-6"]
        assert batches(again) == [(1, DONE, 1), (2, DONE, 2), (3, DONE, 3)]
