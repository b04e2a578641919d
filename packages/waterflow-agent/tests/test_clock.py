"""A clock that is set while the agent runs: nothing is fenced, timed out, aged out or believed wrongly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from waterflow_agent import _clock
from waterflow_agent._attempts import Attempt, AttemptBook
from waterflow_agent._execute import Freshness
from waterflow_agent._housekeeping import Patience
from waterflow_agent._journal import Journal
from waterflow_sdk.wire import NodeOutcome, NodeTask, State

from .conftest import AGENT

SetClock = Callable[[float], None]
HOUR = 3600.0


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the wall clock by so many seconds; time itself passes as it does."""
    true_now = _clock.now

    def shift(seconds: float) -> None:
        def now() -> datetime:
            return true_now() + timedelta(seconds=seconds)

        monkeypatch.setattr(_clock, "now", now)

    return shift


@pytest.fixture
def until() -> asyncio.Event:
    """Lets the attempts of ``book`` end."""
    return asyncio.Event()


@pytest.fixture
async def book(journal: Journal, until: asyncio.Event) -> AttemptBook:
    """A book whose attempts succeed when they may."""

    async def execute(attempt: Attempt) -> NodeOutcome:
        stopped = attempt.stopping
        await asyncio.wait([asyncio.create_task(until.wait()), stopped], return_when=asyncio.FIRST_COMPLETED)
        state = State.FAILED if attempt.reason else State.SUCCESS
        return NodeOutcome(state=state, agent=AGENT, started=attempt.started, ended=attempt.now())

    return AttemptBook(journal, "i1", execute)


@pytest.mark.parametrize("jump", [9 * HOUR, -9 * HOUR], ids=["forward", "back"])
class TestSet:
    async def test_no_attempt_is_fenced_and_its_duration_is_what_passed(
        self,
        book: AttemptBook,
        until: asyncio.Event,
        make_task: Callable[..., NodeTask],
        set_clock: SetClock,
        jump: float,
    ) -> None:
        attempt = book.start(make_task("any", fence_after=60.0, timeout=60.0))
        set_clock(jump)
        await asyncio.sleep(0.3)  # longer than the fence looks away
        assert attempt.reason is None
        until.set()
        outcome = await attempt.ended
        assert outcome.state is State.SUCCESS
        assert timedelta(seconds=0.3) <= outcome.ended - outcome.started < timedelta(seconds=30)

    def test_what_was_known_of_the_servers_clock_is_forgotten(self, set_clock: SetClock, jump: float) -> None:
        freshness = Freshness()
        assert [freshness.fresh(0.01), freshness.fresh(0.02)] == [False, True]
        set_clock(jump)
        # A ghost: after a jump back, its delay of 14 seconds would look like none at all.
        assert not freshness.fresh(14.0 + jump)


class TestAge:
    def test_after_a_jump_forward_nothing_is_old_for_a_week(
        self, set_clock: SetClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        patience = Patience()
        assert patience.over()
        set_clock(9 * HOUR)
        assert not patience.over()
        assert not patience.over()
        true_elapsed = _clock.elapsed
        monkeypatch.setattr(_clock, "elapsed", lambda: true_elapsed() + 8 * 24 * HOUR)
        set_clock(9 * HOUR + 8 * 24 * HOUR)
        assert patience.over()

    @pytest.mark.parametrize("change", [-9 * HOUR, 60.0], ids=["back", "a correction"])
    def test_otherwise_ages_are_believed(self, set_clock: SetClock, change: float) -> None:
        patience = Patience()
        set_clock(change)
        assert patience.over()
