"""Runs that the interpreter cannot go on with: they are shown with why, and can be ended by force."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from waterflow_dsl import check
from waterflow_sdk.codec import KeyFile
from waterflow_sdk.wire import ErrorInfo, RunState, State
from waterflow_server.dev import ensure_key_ring
from waterflow_server.engine.job import _body
from waterflow_server.engine.run.workflow import WaterflowRun
from waterflow_server.engine.worker import create_worker
from waterflow_server.runs import Runs, Submission
from waterflow_server.runs._stuck import UNANSWERED
from waterflow_server.secrets import secret_references
from waterflow_server.settings import Settings

WAITS = "name: waits\njobs: {a: {steps: [{uses: wait, with: {for: never}}]}}"
WHY = (
    "it cannot go on: the interpreter fails at it with ValueError; the server's log has the traceback."
    " It is tried again until a server can, or until it is cancelled by force"
)


async def broken(*_: object) -> None:
    """A defect of the interpreter. What it says may be a value of the run, and is shown to nobody."""
    raise ValueError("hunter2")


@pytest.fixture
async def runs(client: Client, tmp_path: Path) -> AsyncIterator[Runs]:
    ensure_key_ring(tmp_path / "keys.json")
    references = secret_references(Settings(data_dir=tmp_path), KeyFile(tmp_path / "keys.json"))
    async with create_worker(client, references):
        yield Runs(client)


async def submitted(runs: Runs) -> str:
    plan = check(WAITS).plan
    assert plan is not None
    run_id, _ = await runs.submit(Submission(plan=plan, started_by="test"))
    return run_id


async def until_stuck(runs: Runs, run_id: str) -> RunState:
    """Temporal refuses queries from the third attempt on; until then it waits for an answer."""
    async with asyncio.timeout(60):
        async for state in _looks(runs, run_id):
            if any(error and error.code == "interpreter-stuck" for error in (state.error, *_errors(state))):
                return state
    raise AssertionError


async def ended(runs: Runs, run_id: str) -> RunState:
    async with asyncio.timeout(60):
        async for state in _looks(runs, run_id):
            if state.state.ended:
                return state
    raise AssertionError


class TestARun:
    @pytest.fixture(autouse=True)
    def defect(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(WaterflowRun, "_body", broken)

    async def test_is_shown_with_why_and_ends_by_force_alone(self, runs: Runs):
        run_id = await submitted(runs)
        state = await until_stuck(runs, run_id)
        assert (state.state, state.reason, state.name) == (State.RUNNING, WHY, "waits")
        await runs.cancel(run_id, "please")
        assert (await until_stuck(runs, run_id)).state is State.RUNNING
        await runs.cancel(run_id, "enough", force=True)
        state = await ended(runs, run_id)
        assert (state.state, state.reason) == (
            State.CANCELLED,
            "the run's workflow was ended through Temporal: enough",
        )


class TestAJob:
    async def test_is_shown_with_why_and_does_not_hold_its_run_by_force(
        self, runs: Runs, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(_body.JobBody, "run", broken)
        run_id = await submitted(runs)
        state = await until_stuck(runs, run_id)
        assert (state.state, state.reason) == (State.RUNNING, "")
        assert (state.jobs[0].state, state.jobs[0].reason) == (State.RUNNING, WHY)
        await runs.cancel(run_id, "enough", force=True)
        state = await ended(runs, run_id)
        assert state.state is State.CANCELLED


async def _looks(runs: Runs, run_id: str) -> AsyncIterator[RunState]:
    while True:
        try:
            yield await runs.get(run_id)
        except RPCError as error:
            if error.status not in UNANSWERED:  # the first attempts of a task keep a query waiting
                raise
        await asyncio.sleep(0.1)


def _errors(state: RunState) -> list[ErrorInfo | None]:
    return [job.error for job in state.jobs]
