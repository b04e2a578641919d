"""States are right at every instant: runs of all kinds, watched all the time by looks and by events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from harness import Site
from harness.site import until

from outside._watcher import watching
from waterflow_sdk.client import Run
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")

Act = Callable[[Run], Awaitable[None]]


async def nothing(run: Run) -> None:
    del run


def when(state: State, act: Act) -> Act:
    """Do something once the run is in the state."""

    async def later(run: Run) -> None:
        async def there() -> bool:
            return (await run.status("summary")).state is state

        await until(there, f"the run is {state.value}")
        await act(run)

    return later


def step_runs(path: str, act: Act) -> Act:
    """Do something once a step of job ``a`` runs."""

    async def later(run: Run) -> None:
        async def there() -> bool:
            tree = await run.status("full")
            return any(step.path == path and step.state is State.RUNNING for job in tree.jobs for step in job.steps)

        await until(there, f"step {path} runs")
        await act(run)

    return later


async def pause_and_resume(run: Run) -> None:
    await run.pause("freeze")

    async def paused() -> bool:
        return (await run.status("summary")).state is State.PAUSED

    await until(paused, "the run is paused")
    await run.resume()


BLOCKS = """
    name: blocks
    jobs:
      a:
        runs-on: web
        steps:
          - run: echo one
          - if: "true"
            then:
              - run: echo two
              - parallel:
                  - run: sleep 0.2
                  - run: echo three
          - for-each: [1, 2, 3]
            steps:
              - run: echo ${{ item }}
          - if: "false"
            run: echo never
      b:
        needs: a
        runs-on: {group: web, target: all}
        steps:
          - run: echo b
"""
FAILS = """
    name: fails
    jobs:
      a:
        runs-on: web
        steps:
          - run: sleep 0.5
            rollback: [{run: sleep 0.2}]
          - run: exit 3
          - run: echo never
        on-failure: [{run: echo failed}]
        finally: [{run: echo bye}]
      b: {needs: a, runs-on: web, steps: [{run: echo never}]}
"""
RETRIES = """
    name: retries
    jobs:
      a:
        runs-on: web
        steps:
          - run: test -e tried || { touch tried; exit 1; }
            retry: {max-attempts: 4, initial-interval: 50ms}
"""
SLOW = """
    name: slow
    jobs:
      a:
        runs-on: web
        steps:
          - run: sleep 1
          - run: sleep 60
          - run: echo never
        finally: [{run: echo bye}]
      b: {needs: a, runs-on: web, steps: [{run: echo never}]}
"""
PAUSED = """
    name: paused
    jobs:
      a:
        runs-on: web
        steps: [{run: sleep 5}, {run: echo two}]
      b: {needs: a, runs-on: web, steps: [{run: echo b}]}
"""
APPROVAL = """
    name: approval
    jobs:
      a:
        runs-on: web
        steps:
          - uses: approval
            with: {message: Go on?, timeout: 1m}
          - run: sleep 0.5
"""
WAIT_IN_PARALLEL = """
    name: waits
    jobs:
      a:
        runs-on: web
        steps:
          - parallel:
              - {uses: wait, with: {for: one, timeout: 1m}}
              - {uses: wait, with: {for: two, timeout: 1m}}
"""
TIMES_OUT = """
    name: times-out
    jobs:
      a:
        runs-on: web
        timeout: 1s
        steps: [{run: sleep 60}, {run: echo never}]
"""
STOPS = """
    name: stops
    jobs:
      a:
        runs-on: web
        steps:
          - if: "true"
            then:
              - uses: stop
              - run: echo never
          - run: echo never
"""


async def approve(run: Run) -> None:
    await run.approve(by="ann")


async def reject(run: Run) -> None:
    await run.reject(by="ann")


async def cancel(run: Run) -> None:
    await run.cancel("enough")


async def force(run: Run) -> None:
    await run.cancel("enough", force=True)


async def both_events(run: Run) -> None:
    await run.send_event("two")
    await run.send_event("one")


CASES: list[tuple[str, str, Act, State]] = [
    ("blocks", BLOCKS, nothing, State.SUCCESS),
    ("failure with rollback and endings", FAILS, nothing, State.FAILED),
    ("retry of a step", RETRIES, nothing, State.SUCCESS),
    ("cancel", SLOW, step_runs("steps[1]", cancel), State.CANCELLED),
    ("cancel by force", SLOW, step_runs("steps[1]", force), State.CANCELLED),
    ("pause", PAUSED, step_runs("steps[0]", pause_and_resume), State.SUCCESS),
    ("cancel while paused", PAUSED, step_runs("steps[0]", cancel), State.CANCELLED),
    ("approval", APPROVAL, when(State.WAITING, approve), State.SUCCESS),
    ("rejection", APPROVAL, when(State.WAITING, reject), State.FAILED),
    ("cancel while it waits", APPROVAL, when(State.WAITING, cancel), State.CANCELLED),
    ("two waits at once", WAIT_IN_PARALLEL, when(State.WAITING, both_events), State.SUCCESS),
    ("time-out of the job", TIMES_OUT, nothing, State.FAILED),
    ("stop within a block", STOPS, nothing, State.SUCCESS),
]


class TestEveryInstant:
    @pytest.mark.parametrize(("yaml", "act", "end"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    async def test_it_is_legal_and_events_say_the_same(self, site: Site, yaml: str, act: Act, end: State) -> None:
        run = await site.submit(yaml)
        async with watching(run) as watched:
            await act(run)
        assert watched.wrong == []
        assert watched.seen[""][-1] is end

    async def test_a_retried_run_tells_what_it_kept(self, site: Site) -> None:
        former = await site.submit(FAILS.replace("exit 3", 'test "${{ vars.ok }}" = yes'), vars={"ok": "no"})
        await former.wait(180)
        run = await former.retry()
        async with watching(run) as watched:
            pass
        assert watched.wrong == []
        kept = [event for event in watched.events if event.path == "a/steps[0]"]
        assert [(event.state, event.reason) for event in kept] == [
            (State.SUCCESS, "kept from the run that this one retries")
        ]

    async def test_an_agent_that_is_killed(self, site: Site) -> None:
        site.start_agent("doomed", ["doomed"])
        await site.until_online("doomed")
        run = await site.submit(
            "name: lost\njobs: {a: {runs-on: doomed, agent-loss: {policy: fail, for: 1s}, "
            "steps: [{run: sleep 90, heartbeat-timeout: 5s}]}}"
        )

        async def running() -> bool:
            jobs = (await run.status("full")).jobs
            return any(step.attempts for job in jobs for step in job.steps)

        async with watching(run) as watched:
            await until(running, "the step runs")
            await asyncio.to_thread(site.agents["doomed"].kill)
        assert watched.wrong == []
        assert watched.seen[""][-1] is State.FAILED
