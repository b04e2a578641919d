"""The inquiry on a real Temporal, with agents that are played on their control queues."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_sdk.wire import (
    CHECK_SECRETS_ACTIVITY,
    ORCHESTRATOR_QUEUE,
    AgentRef,
    SecretAnswer,
    control_queue,
)
from waterflow_server.inquiry import (
    DEMANDS_ACTIVITY,
    INQUIRY_WORKFLOW,
    Demand,
    Demands,
    Finding,
    Lack,
    WaterflowInquiry,
    inquiry_workflow_id,
)
from waterflow_server.inquiry._workflow import TRIES

BUSY = SecretAnswer(code="secret-unavailable", message="secret S: Vault cannot be asked", retryable=True)


class Played:
    """An agent that gives these answers, one after the other, the last one again and again."""

    def __init__(self, name: str, *answers: SecretAnswer) -> None:
        self.ref = AgentRef(id=name, name=name)
        self.asked: list[list[str]] = []
        self._answers = list(answers)

    @activity.defn(name=CHECK_SECRETS_ACTIVITY)
    async def check(self, segments: list[str]) -> list[SecretAnswer]:
        self.asked.append(segments)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        return [answer] * len(segments)


@activity.defn(name="Configure")
async def nothing_else() -> None:
    """What an agent from before the question knows."""


@pytest.fixture
async def inquire(client: Client) -> AsyncIterator[Callable[..., Any]]:
    """Asks these agents for one secret, of which the job needs to find any or every one of them in possession."""
    async with AsyncExitStack() as stack:

        async def ask(*agents: Played, every: bool = False, old: bool = False, fail: bool = False) -> Finding:
            demand = Demand(job="use", segments=["s"], agents=list(range(len(agents))), every=every)

            @activity.defn(name=DEMANDS_ACTIVITY)
            async def find(run_id: str) -> Demands:
                assert run_id == "r1"
                if fail:
                    raise RuntimeError("the run cannot be read")
                return Demands(agents=[each.ref for each in agents], demands=[demand])

            runner = UnsandboxedWorkflowRunner()
            server = Worker(
                client,
                task_queue=ORCHESTRATOR_QUEUE,
                workflows=[WaterflowInquiry],
                activities=[find],
                workflow_runner=runner,
            )
            await stack.enter_async_context(server)
            for each in agents:
                knows = [nothing_else if old else each.check]
                worker = Worker(client, task_queue=control_queue(each.ref.id), activities=knows)
                await stack.enter_async_context(worker)
            return await client.execute_workflow(
                INQUIRY_WORKFLOW,
                "r1",
                id=inquiry_workflow_id("r1"),
                task_queue=ORCHESTRATOR_QUEUE,
                result_type=Finding,
            )

        yield ask


class TestAsking:
    async def test_is_of_all_agents(self, inquire: Callable[..., Any]) -> None:
        missing = SecretAnswer(code="secret-missing", message="secret S: none")
        has, lacks = Played("a", SecretAnswer()), Played("b", missing)
        assert await inquire(has, lacks) == Finding(lacking={"use": ["b"]})
        assert (has.asked, lacks.asked) == ([["s"]], [["s"]])

    async def test_is_done_again_where_vault_cannot_be_asked_now(self, inquire: Callable[..., Any]) -> None:
        agent = Played("a", BUSY, SecretAnswer())
        assert await inquire(agent, every=True) == Finding()
        assert len(agent.asked) == 2

    async def test_ends_some_time(self, inquire: Callable[..., Any]) -> None:
        agent = Played("a", BUSY)
        lack = Lack(job="use", agent="a", code=BUSY.code, message=BUSY.message)
        assert await inquire(agent, every=True) == Finding(lacks=[lack])
        assert len(agent.asked) == TRIES


class TestNoAnswer:
    async def test_of_an_agent_from_before_the_question_is_not_held_against_the_run(
        self, inquire: Callable[..., Any]
    ) -> None:
        assert await inquire(Played("a"), every=True, old=True) == Finding()

    async def test_of_the_server_neither(self, inquire: Callable[..., Any]) -> None:
        assert await inquire(Played("a"), every=True, fail=True) == Finding()
