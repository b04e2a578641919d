"""The slot book: which jobs hold slots, and for how long."""

from __future__ import annotations

import asyncio

from waterflow_agent._claims import SlotBook

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
