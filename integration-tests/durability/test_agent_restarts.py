"""An agent is killed and started again: what it did is known, what it left is ended, and nothing is done twice.

What its keeper still has is adopted instead: see ``test_adoption``.
"""

import asyncio
from pathlib import Path

from harness import Site
from harness.files import lines_of, until_lines
from harness.processes import lives
from harness.site import until

from waterflow_sdk.wire import State

from ._host import kill_with_keeper

HEARTBEAT = 2


def restart(site: Site, name: str) -> None:
    """With its keeper, as when all of a service is killed: nothing is there to be adopted."""
    kill_with_keeper(site.agents[name])
    site.start_agent(name)


class TestOutcomeThatWasNotDelivered:
    async def test_is_answered_from_the_journal(self, site: Site, tmp_path: Path):
        """The step ends while Temporal is away, so that only the journal knows; then the agent is killed."""
        effects, go = tmp_path / "effects", tmp_path / "go"
        run = await site.submit(f"""
            name: undelivered
            jobs:
              work:
                runs-on: {{agent: web-01}}
                steps:
                  - id: once
                    heartbeat-timeout: {HEARTBEAT}s
                    run: |
                      echo begin >> {effects}
                      while ! test -e {go}; do sleep 0.05; done
                      echo "result=42" >> "$WATERFLOW_OUTPUT"
                outputs: {{result: "${{{{ steps.once.outputs.result }}}}"}}
        """)
        await until_lines(effects, 1)
        site.temporal.kill()
        go.touch()

        async def journalled() -> bool:
            files = (site.agents["web-01"].state_dir / "attempts").iterdir()
            return any('"metadata"' in file.read_text() for file in files)

        await until(journalled, "the outcome is in the journal")
        site.agents["web-01"].kill()
        await site.temporal.restart()
        site.start_agent("web-01")
        state = await run.wait(90)
        assert state.state is State.SUCCESS, state.error
        assert state.jobs[0].outputs == {"result": "42"}
        assert lines_of(effects) == ["begin"]
        assert [attempt.number for attempt in state.jobs[0].steps[0].attempts] == [1]


class TestAttemptThatRan:
    async def test_is_ended_wholly_before_the_next_one_begins(self, site: Site, tmp_path: Path):
        """In its session without environment, in another session with it: both are found, and TERM is not enough."""
        pids, begun, ticks = tmp_path / "pids", tmp_path / "begun", tmp_path / "ticks"
        child = f'trap "" TERM; echo $$ >> {pids}; while :; do echo tick >> {ticks}; sleep 0.05; done'
        run = await site.submit(f"""
            name: restarted
            jobs:
              work:
                runs-on: {{agent: web-01}}
                agent-loss: {{policy: reassign}}
                steps:
                  - heartbeat-timeout: {HEARTBEAT}s
                    run: |
                      echo "$WATERFLOW_ATTEMPT" >> {begun}
                      if test "${{WATERFLOW_ATTEMPT##*.}}" = 1; then
                        env -i sh -c '{child}' &
                        setsid sh -c '{child}' &
                        sleep 120
                      fi
                      wc -l < {ticks} > {tmp_path}/at-second
        """)
        found = [int(pid) for pid in await until_lines(pids, 2)]
        restart(site, "web-01")
        state = await run.wait(90)
        assert state.state is State.SUCCESS, state.error
        attempts = state.jobs[0].steps[0].attempts
        assert [(attempt.state, attempt.error and attempt.error.code) for attempt in attempts] == [
            (State.FAILED, "agent-restarted"),
            (State.SUCCESS, None),
        ]
        assert not any(lives(pid) for pid in found)
        assert len(lines_of(begun)) == 2
        assert len(lines_of(ticks)) == int((tmp_path / "at-second").read_text())

    async def test_is_told_at_once_and_not_when_the_heartbeats_are_missed(self, site: Site, tmp_path: Path):
        begun = tmp_path / "begun"
        run = await site.submit(f"""
            name: told
            jobs:
              work:
                runs-on: {{agent: web-01}}
                steps: [{{run: 'echo begin >> {begun}; sleep 120', heartbeat-timeout: 1h}}]
        """)
        await until_lines(begun, 1)
        restart(site, "web-01")
        state = await run.wait(180)
        assert state.state is State.FAILED
        (attempt,) = state.jobs[0].steps[0].attempts
        assert attempt.error is not None
        assert (attempt.error.code, attempt.lost) == ("agent-restarted", 0)
        assert lines_of(begun) == ["begin"]

    async def test_uses_up_an_attempt_unless_the_policy_is_to_reassign(self, site: Site, tmp_path: Path):
        begun = tmp_path / "begun"
        run = await site.submit(f"""
            name: retried
            jobs:
              work:
                runs-on: {{agent: web-01}}
                steps:
                  - heartbeat-timeout: {HEARTBEAT}s
                    retry: {{max-attempts: 2, initial-interval: 50ms}}
                    run: echo begin >> {begun}; test $(wc -l < {begun}) = 2 || sleep 120
        """)
        await until_lines(begun, 1)
        restart(site, "web-01")
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert [attempt.state for attempt in state.jobs[0].steps[0].attempts] == [State.FAILED, State.SUCCESS]
        assert lines_of(begun) == ["begin", "begin"]


class TestHostThatNeverComesBack:
    async def test_is_waited_for_as_the_policy_says_and_the_run_can_be_cancelled(self, site: Site, tmp_path: Path):
        begun = tmp_path / "begun"
        run = await site.submit(f"""
            name: waiting
            jobs:
              work:
                runs-on: {{agent: web-01}}
                agent-loss: {{policy: wait}}
                steps: [{{run: 'echo $$ >> {begun}; sleep 120', heartbeat-timeout: {HEARTBEAT}s}}]
        """)
        await until_lines(begun, 1)
        site.agents["web-01"].kill()

        async def lost() -> bool:
            attempt = (await run.status()).jobs[0].steps[0].attempts[0]
            return attempt.reason.startswith("lost contact with agent web-01 at ")

        await until(lost, "the attempt says that its agent is lost")
        assert (await run.status()).state is State.RUNNING
        await run.cancel("no longer needed")
        state = await run.wait(180)  # and not until the host is back; benchmarks have the figure
        assert (state.state, state.jobs[0].reason) == (State.CANCELLED, "no longer needed")

    async def test_whose_steps_are_sent_elsewhere_does_nothing_more_when_it_is_back(self, site: Site, tmp_path: Path):
        begun = tmp_path / "begun"
        run = await site.submit(f"""
            name: reassigned
            jobs:
              work:
                runs-on: web
                agent-loss: {{policy: reassign, for: 1s}}
                steps:
                  - heartbeat-timeout: {HEARTBEAT}s
                    run: |
                      echo "${{{{ agent.name }}}}" >> {begun}
                      test $(wc -l < {begun}) -gt 1 || sleep 120
        """)
        (first,) = await until_lines(begun, 1)
        site.agents[first].kill()
        state = await run.wait(90)
        assert state.state is State.SUCCESS, state.error
        site.start_agent(first)
        await site.until_online(first)
        await asyncio.sleep(1)  # nothing is to happen: there is no event
        assert len(lines_of(begun)) == 2
