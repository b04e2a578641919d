"""What happens to a run while it goes on, by feature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from harness import Site
from harness.site import until

from waterflow_sdk.client import Run
from waterflow_sdk.wire import RunState, State

Act = Callable[[Site, Run], Awaitable[None]]


async def _until_job(run: Run, check: Callable[[RunState], bool], what: str) -> RunState:
    found: list[RunState] = []

    async def holds() -> bool:
        found[:] = [await run.status()]
        return bool(found[0].jobs) and check(found[0])

    await until(holds, what)
    return found[0]


def _step_runs(state: RunState) -> bool:
    steps = state.jobs[0].steps
    return any(step.state in (State.RUNNING, State.WAITING) for step in steps) and steps[-1].state is not State.SUCCESS


def _first_ended(state: RunState) -> bool:
    return state.jobs[0].steps[0].state is State.SUCCESS


async def _cancel(_site: Site, run: Run) -> None:
    await _until_job(run, lambda state: _step_runs(state) and _first_ended(state), "the second step runs")
    await run.cancel("enough")


async def _cancel_first_step(_site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "a step runs")
    await run.cancel("enough")


async def _cancel_forced(_site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "a step runs")
    await run.cancel("now", force=True)


async def _cancel_waiting(_site: Site, run: Run) -> None:
    await _until_job(run, lambda state: "nobody" in state.jobs[0].reason, "the job waits for an agent")
    await run.cancel("enough")


async def _send_go(_site: Site, run: Run) -> None:
    def waits(state: RunState) -> bool:
        return sum(job.instance.endswith("/gate") and job.state is State.WAITING for job in state.jobs) == 2

    await _until_job(run, waits, "both called workflows wait")
    await run.pause("lunch")
    await run.resume()
    await run.send_event("go")


async def _cancel_called(_site: Site, run: Run) -> None:
    def runs(state: RunState) -> bool:
        return len(state.jobs) > 1 and any(step.state is State.RUNNING for step in state.jobs[1].steps)

    await _until_job(run, runs, "the called workflow runs")
    await run.cancel("enough")


async def _approve_environment(_site: Site, run: Run) -> None:
    await _until_job(run, lambda state: state.jobs[0].state is State.WAITING, "the job waits for approval")
    await run.approve(by="ops")


async def _lose_agent(site: Site, run: Run) -> None:
    state = await _until_job(run, _step_runs, "a step runs")
    assert state.jobs[0].agent is not None
    site.agents[state.jobs[0].agent.name].kill()


async def _tell(site: Site, run: Run, what: str, **body: Any) -> None:
    address = f"{site.url}/v1/workflows/{run.id}/{what}"
    async with aiohttp.ClientSession() as session, session.post(address, json=body) as answer:
        answer.raise_for_status()


async def _approve(site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "the approval waits")
    await _tell(site, run, "approve", by="ops", inputs={"ticket": "T-1"})


async def _reject(site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "the approval waits")
    await _tell(site, run, "reject", by="boss", comment="not on a Friday")


async def _pause(site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "the first step runs")
    await _tell(site, run, "pause", reason="lunch")
    await _until_job(run, _first_ended, "the first step has ended")
    await _tell(site, run, "resume")


async def _send_events(site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "a step waits")
    await _tell(site, run, "events", name="other")
    await _tell(site, run, "events", name="shipped", payload={"number": 7})


async def _cancel_in_loop(_site: Site, run: Run) -> None:
    await _until_job(run, lambda state: any(step.steps for step in state.jobs[0].steps), "an iteration has begun")
    await run.cancel("enough")


async def _pause_then_approve(_site: Site, run: Run) -> None:
    await _until_job(run, lambda state: state.state is State.WAITING, "the run waits")
    await run.pause("lunch")
    await run.resume()
    await run.approve(by="ops")


ACTS: dict[str, Act] = {
    "agent-lost": _lose_agent,
    "approval": _approve,
    "approval-rejected": _reject,
    "call": _send_go,
    "call-cancelled": _cancel_called,
    "cancel": _cancel,
    "cancel-forced": _cancel_forced,
    "cancel-forced-at-once": _cancel_forced,
    "cancel-in-loop": _cancel_in_loop,
    "cancel-sleeping": _cancel_first_step,
    "cancel-waiting-for-agent": _cancel_waiting,
    "environment-approval": _approve_environment,
    "pause": _pause,
    "stop-while-telling": _cancel_in_loop,
    "wait": _send_events,
    "waits-shown": _pause_then_approve,
}
