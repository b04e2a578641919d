"""The slot book: which jobs hold slots, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from waterflow_agent._abilities import Abilities
from waterflow_agent._claims import Claims, SlotBook
from waterflow_agent._registry import NodeRegistry
from waterflow_sdk.node import Node, NodeContext
from waterflow_sdk.wire import ClaimRequest

from .conftest import AGENT

JOBS = [("r1", "a"), ("r1", "b"), ("r1", "c")]


class TestClaim:
    async def test_until_all_slots_are_taken(self) -> None:
        book = SlotBook(2)
        assert [book.claim(job) for job in JOBS] == [True, True, False]
        assert book.used == 2

    async def test_the_same_job_again_keeps_its_slot(self) -> None:
        book = SlotBook(1)
        assert [book.claim(JOBS[0]), book.claim(JOBS[0])] == [True, True]
        assert book.used == 1

    async def test_a_job_that_sends_no_step_loses_its_slot(self) -> None:
        book = SlotBook(1, first_step_within=0.01)
        book.claim(JOBS[0])
        await asyncio.wait_for(book.free(), 60)
        assert book.claim(JOBS[1])


class TestSteps:
    async def test_each_running_step_takes_a_slot(self) -> None:
        book = SlotBook(2)
        book.claim(JOBS[0])
        book.begin(JOBS[0])
        book.begin(JOBS[0])
        assert (book.running, book.used, book.claim(JOBS[1])) == (2, 2, False)

    async def test_between_two_steps_the_job_keeps_its_slot_for_a_moment(self) -> None:
        book = SlotBook(1, next_step_within=0.01)
        book.begin(JOBS[0])
        book.end(JOBS[0])
        assert not book.claim(JOBS[1])
        await asyncio.wait_for(book.free(), 60)
        assert book.claim(JOBS[1])

    async def test_whoever_waits_for_a_slot_is_woken(self) -> None:
        book = SlotBook(1, next_step_within=0)
        book.begin(JOBS[0])
        waiting = asyncio.create_task(book.free())
        await asyncio.sleep(0)
        assert not waiting.done()
        book.end(JOBS[0])
        await asyncio.wait_for(waiting, 60)


class Exec(Node):
    """Runs a command in a container."""

    name = "docker/exec"
    version = "1.0.0"
    capabilities = ("docker 20",)

    async def execute(self, ctx: NodeContext, inputs: dict[str, Any]) -> None:
        del ctx, inputs


async def claims(capabilities: dict[str, str]) -> Claims:
    """Of an agent that has the node :class:`Exec` and these capabilities."""

    async def find() -> dict[str, str]:
        return capabilities

    registry, abilities = NodeRegistry(), Abilities(find)
    registry.add(Exec)
    await abilities.look()
    return Claims(AGENT, SlotBook(1), registry, abilities)


class TestCapabilities:
    """What the steps of a job ask of an agent, and what their nodes need there."""

    @pytest.mark.parametrize(
        ("request_", "capabilities", "message"),
        [
            ({"capabilities": ["run-as/deploy"]}, {"run-as/app": "sudo"}, "has no 'run-as/deploy'"),
            ({"nodes": ["docker/exec"]}, {}, "has no 'docker', which node 'docker/exec' needs"),
            (
                {"nodes": ["docker/exec"]},
                {"docker": "19.3.15"},
                "has docker 19.3.15 instead of 20 or later, which node 'docker/exec' needs",
            ),
        ],
        ids=["a user", "a tool", "an old version"],
    )
    async def test_who_lacks_one_leaves_it_to_others(
        self, request_: dict[str, list[str]], capabilities: dict[str, str], message: str
    ) -> None:
        with pytest.raises(ApplicationError) as raised:
            await (await claims(capabilities)).claim(ClaimRequest(run="r1", job="a", **request_))
        assert (raised.value.type, raised.value.message) == ("CapabilityMissing", f"agent {AGENT.name} {message}")

    async def test_who_has_them_takes_the_job(self) -> None:
        request = ClaimRequest(run="r1", job="a", nodes=["docker/exec"], capabilities=["run-as/deploy"])
        able = await claims({"docker": "28.2.2", "run-as/deploy": "sudo"})
        assert await able.claim(request) == AGENT

    async def test_a_name_may_end_in_digits(self) -> None:
        request = ClaimRequest(run="r1", job="a", capabilities=["cuda12"])
        assert await (await claims({"cuda12": "12.4"})).claim(request) == AGENT
