"""The slot book: which jobs hold slots, and for how long."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.exceptions import ApplicationError

from waterflow_agent._claims import Claims, SlotBook
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
        await asyncio.wait_for(book.free(), 1)
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
        await asyncio.wait_for(book.free(), 1)
        assert book.claim(JOBS[1])

    async def test_whoever_waits_for_a_slot_is_woken(self) -> None:
        book = SlotBook(1, next_step_within=0)
        book.begin(JOBS[0])
        waiting = asyncio.create_task(book.free())
        await asyncio.sleep(0)
        assert not waiting.done()
        book.end(JOBS[0])
        await asyncio.wait_for(waiting, 1)


class TestCapabilities:
    """What the steps of a job ask of an agent, beside its nodes."""

    def claims(self, *capabilities: str) -> Claims:
        return Claims(AGENT, SlotBook(1), {"shell"}.__contains__, capable=capabilities.__contains__)

    async def test_who_has_them_takes_the_job(self) -> None:
        request = ClaimRequest(run="r1", job="a", nodes=["shell"], capabilities=["run-as/deploy"])
        assert await self.claims("run-as/deploy", "run-as/app").claim(request) == AGENT

    async def test_who_lacks_one_leaves_it_to_others(self) -> None:
        request = ClaimRequest(run="r1", job="a", nodes=["shell"], capabilities=["run-as/deploy"])
        with pytest.raises(ApplicationError) as raised:
            await self.claims("run-as/app").claim(request)
        assert (raised.value.type, raised.value.message) == (
            "CapabilityMissing",
            f"agent {AGENT.name} has no 'run-as/deploy'",
        )
