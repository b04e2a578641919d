"""People and other systems tell a running run: pause, resume, approve, reject, events."""

import asyncio
import textwrap
from pathlib import Path

import pytest
from harness import Site
from harness.command import Command
from harness.site import until

from waterflow_sdk.client import AnswerRefused, NothingWaits, RunClosed
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def state_is(run, state: State):
    async def check() -> bool:
        return (await run.status("summary")).state is state

    return check


GATE = """
    name: gated
    jobs:
      release:
        runs-on: web
        steps:
          - id: gate
            uses: approval
            with: {message: Release it?, approvers: [ops, boss], timeout: 1m}
          - id: go
            env: {BY: "${{ steps.gate.outputs.by }} ${{ steps.gate.outputs.inputs.ticket }}"}
            run: echo "by=$BY" >> "$WATERFLOW_OUTPUT"
"""


class TestApproval:
    async def test_the_run_waits_and_says_for_what_until_somebody_approves(self, site: Site):
        run = await site.submit(GATE)
        await until(state_is(run, State.WAITING), "the run waits")
        assert (await run.status("summary")).reason == "release: approval: Release it?"
        await run.approve(by="ops", inputs={"ticket": "T-1"})
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert state.jobs[0].steps[1].outputs["by"] == "ops T-1"

    async def test_a_rejection_fails_the_step_with_who_and_why(self, site: Site):
        run = await site.submit(GATE)
        await until(state_is(run, State.WAITING), "the run waits")
        await run.reject(by="boss", comment="not on a Friday")
        state = await run.wait(180)
        assert state.jobs[0].steps[0].error.message == "rejected by boss: not on a Friday"
        assert state.jobs[0].steps[1].state is State.SKIPPED

    async def test_only_those_named_may_answer(self, site: Site):
        run = await site.submit(GATE)
        await until(state_is(run, State.WAITING), "the run waits")
        with pytest.raises(AnswerRefused) as caught:
            await run.approve(by="intern")
        assert (caught.value.status, caught.value.code) == (409, "answer-refused")
        assert caught.value.message == "intern may not answer this approval; ops, boss may"
        await run.cancel()
        await run.wait(180)

    async def test_when_nothing_waits_the_answer_is_a_conflict(self, site: Site):
        run = await site.submit("name: x\njobs: {a: {runs-on: web, steps: [run: sleep 600]}}")
        with pytest.raises(NothingWaits) as caught:
            await run.approve(by="ops")
        assert (caught.value.status, caught.value.code) == (409, "nothing-waits")
        await run.cancel()
        await run.wait(180)

    async def test_where_several_wait_the_step_says_which_one_is_meant(self, site: Site):
        run = await site.submit("""
            name: two-gates
            jobs:
              a: {runs-on: web, steps: [{uses: approval, with: {message: A?, timeout: 1m}}]}
              b: {runs-on: web, steps: [{uses: approval, with: {message: B?, timeout: 1m}}]}
        """)

        async def both_wait() -> bool:
            return [job.state for job in (await run.status("summary")).jobs] == [State.WAITING, State.WAITING]

        await until(both_wait, "both approvals wait")
        with pytest.raises(NothingWaits) as caught:
            await run.approve()
        names = caught.value.message.partition("say which one of ")[2].split(", ")
        assert len(names) == 2
        await run.reject(step=names[1])
        await run.approve(step=names[0])
        assert [job.state for job in (await run.wait(180)).jobs] == [State.SUCCESS, State.FAILED]

    async def test_nobody_in_time_fails_the_step(self, site: Site):
        run = await site.run("""
            name: impatient
            jobs:
              gate: {runs-on: web, steps: [{uses: approval, with: {message: Go?, timeout: 300ms}}]}
        """)
        assert run.jobs[0].steps[0].error.code == "approval-timeout"


class TestTheCommand:
    async def test_a_followed_run_says_how_to_answer_and_goes_on_when_somebody_did(self, site: Site, tmp_path: Path):
        command = Command(tmp_path)
        (tmp_path / "gated.yaml").write_text(textwrap.dedent(GATE))
        server = ("--server", site.url)
        with command.start("run", "gated.yaml", *server) as followed:
            assert followed.stdout is not None
            run = (await asyncio.to_thread(followed.stdout.readline)).split()[1]
            assert await asyncio.to_thread(followed.stdout.readline) == (
                "release waits for approval: Release it? "
                f"(`waterflow approve {run} --server {site.url}`, or `reject`)\n"
            )
            refused = await asyncio.to_thread(command.run, "approve", run, "--by", "intern", *server)
            assert refused.stderr.startswith("release/steps[0]: Release it?\n")
            said = refused.stderr.splitlines()[-1]
            assert (refused.code, said) == (8, "error: intern may not answer this approval; ops, boss may")
            done = await asyncio.to_thread(
                command.run, "approve", run, "--by", "boss", "--input", "ticket=T-2", *server
            )
            assert (done.code, done.stdout) == (0, f"run {run}: approved by boss\n")
            rest = await asyncio.to_thread(followed.stdout.read)
        assert followed.returncode == 0, rest
        assert (await site.client.run(run).status()).jobs[0].steps[1].outputs["by"] == "boss T-2"


class TestPause:
    async def test_the_running_step_finishes_and_no_new_one_starts_until_resume(self, site: Site, tmp_path: Path):
        go = tmp_path / "go"
        run = await site.submit(f"""
            name: paused
            jobs:
              work:
                runs-on: web
                steps: [{{run: while ! test -e {go}; do sleep 0.05; done}}, {{run: echo second}}]
        """)

        async def first_runs() -> bool:
            steps = (await run.status()).jobs[0].steps
            return bool(steps) and steps[0].state is State.RUNNING

        await until(first_runs, "the first step runs")
        await run.pause("lunch")
        state = await run.status()
        assert (state.state, state.reason) == (State.PAUSED, "lunch")
        go.touch()

        async def first_ended() -> bool:
            return (await run.status()).jobs[0].steps[0].state is State.SUCCESS

        await until(first_ended, "the first step finishes during the pause")
        assert (await run.status()).jobs[0].steps[1].state is State.PENDING
        await run.resume()
        assert (await run.wait(180)).state is State.SUCCESS

    async def test_a_paused_run_can_be_cancelled(self, site: Site):
        run = await site.submit("name: x\njobs: {a: {runs-on: web, steps: [{run: sleep 1}, {run: sleep 60}]}}")
        await run.pause()
        await run.cancel("no more")
        assert (await run.wait(180)).state is State.CANCELLED


class TestAfterTheEnd:
    async def test_nothing_can_be_told_to_a_run_that_has_ended(self, site: Site):
        run = await site.submit("name: x\njobs: {a: {runs-on: web, steps: [run: 'true']}}")
        await run.wait(180)
        for tell in (run.pause, run.resume, run.approve, run.reject, lambda: run.send_event("go")):
            with pytest.raises(RunClosed) as caught:
                await tell()
            assert caught.value.message == f"run {run.id} has ended; nothing can be done to it any more"


class TestEvents:
    async def test_a_wait_takes_the_payload(self, site: Site):
        run = await site.submit("""
            name: eventful
            jobs:
              work:
                runs-on: web
                steps:
                  - {id: order, uses: wait, with: {for: shipped, timeout: 1m}}
                  - {id: show, run: 'echo "n=${{ steps.order.outputs.payload.number }}" >> "$WATERFLOW_OUTPUT"'}
        """)
        await until(state_is(run, State.WAITING), "the run waits")
        await run.send_event("other")
        await run.send_event("shipped", {"number": 7})
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert state.jobs[0].steps[1].outputs["n"] == "7"

    async def test_an_event_that_came_first_is_kept(self, site: Site):
        run = await site.submit("""
            name: early
            jobs:
              first: {runs-on: web, steps: [run: sleep 1]}
              second: {needs: first, runs-on: web, steps: [{uses: wait, with: {for: go, timeout: 1h}}]}
        """)
        await run.send_event("go")
        assert (await run.wait(180)).state is State.SUCCESS


class TestJobRetry:
    async def test_the_whole_job_runs_again_and_every_attempt_is_kept(self, site: Site):
        run = await site.run("""
            name: again
            jobs:
              work:
                runs-on: {agent: web-01}
                retry: {max-attempts: 3, initial-interval: 50ms}
                steps:
                  - run: echo x >> tries
                  - run: test $(wc -l < tries) -ge 2
        """)
        assert run.state is State.SUCCESS, run.error
        assert [[attempt.state for attempt in step.attempts] for step in run.jobs[0].steps] == [
            [State.SUCCESS, State.SUCCESS],
            [State.FAILED, State.SUCCESS],
        ]


class TestSetVars:
    async def test_holds_for_the_later_steps_of_the_job(self, site: Site):
        run = await site.run("""
            name: set-vars
            vars: {colour: red}
            jobs:
              work:
                runs-on: web
                steps:
                  - {uses: vars/set, with: {colour: green}}
                  - {id: show, run: 'echo "c=${{ vars.colour }}" >> "$WATERFLOW_OUTPUT"'}
        """)
        assert run.jobs[0].steps[1].outputs["c"] == "green"
