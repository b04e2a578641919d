"""What a run hears of the waits of its jobs: no more than its history bears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_sdk.wire import State
from waterflow_server.engine._wire import NOTE_SIGNAL, JobNote
from waterflow_server.engine.signals._notes import MOST_NOTES, Notes, notes_share

QUEUE = "notes"
WAITING, RUNNING = State.WAITING, State.RUNNING


@workflow.defn
class Teller:
    """A job that waits again and again."""

    @workflow.run
    async def run(self, states: list[str], most: int, told: int) -> int:
        notes = Notes("work", "work", most, told)
        for state in states:
            await notes.tell(State(state), "")
        return notes.told


@workflow.defn
class Hearer:
    """A run that hears it."""

    def __init__(self) -> None:
        self._heard: list[str] = []

    @workflow.run
    async def run(self, states: list[str], most: int, told: int) -> tuple[list[str], int]:
        id = f"{workflow.info().workflow_id}/child"
        count = await workflow.execute_child_workflow(Teller.run, args=[states, most, told], id=id)
        return self._heard, count

    @workflow.signal(name=NOTE_SIGNAL)
    def note(self, note: JobNote) -> None:
        self._heard.append(note.state.value)


@pytest.fixture(autouse=True)
async def worker(client: Client) -> AsyncIterator[None]:
    """Runs the workflows of this file."""
    async with Worker(
        client, task_queue=QUEUE, workflows=[Hearer, Teller], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield


class TestNotes:
    @pytest.mark.parametrize(
        ("most", "told", "heard"),
        [
            pytest.param(4, 0, [WAITING, RUNNING, WAITING, RUNNING], id="as many as there are"),
            pytest.param(3, 0, [WAITING, RUNNING, WAITING, RUNNING], id="never ends with a wait that is over"),
            pytest.param(4, 2, [WAITING, RUNNING], id="those before a roll-over count"),
            pytest.param(0, 0, [WAITING, RUNNING] * 5, id="jobs of before have any number"),
        ],
    )
    async def test_are_spent(self, client: Client, most: int, told: int, heard: list[State]) -> None:
        states = [state.value for state in (WAITING, RUNNING)] * 5
        found, count = await client.execute_workflow(
            Hearer.run,
            args=[states, most, told],
            id="hearer",
            task_queue=QUEUE,
            execution_timeout=timedelta(seconds=120),
        )
        assert found == [state.value for state in heard]
        assert count == told + len(heard)


class TestShare:
    @pytest.mark.parametrize(
        ("most", "jobs", "instances", "share"),
        [(0, 1, 1, MOST_NOTES), (0, 4, 10, 100), (400, 2, 20, 10), (0, 10, 10_000, 2), (0, 1, 0, MOST_NOTES)],
    )
    def test_is_what_a_history_bears(self, most: int, jobs: int, instances: int, share: int) -> None:
        assert notes_share(most, jobs, instances) == share
