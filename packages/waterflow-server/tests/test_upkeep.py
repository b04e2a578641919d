"""What a server does now and then."""

from __future__ import annotations

import asyncio

import pytest

from waterflow_server._upkeep import now_and_then


async def until_third(trouble: Exception) -> None:
    """Let it fail the first two times."""
    times = 0
    third = asyncio.Event()

    async def work() -> None:
        nonlocal times
        times += 1
        if times < 3:
            raise trouble
        third.set()

    doing = asyncio.create_task(now_and_then(work, LookupError, "it could not be done", every=0.01))
    waiting = asyncio.create_task(third.wait())
    await asyncio.wait((doing, waiting), timeout=60, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    doing.cancel()
    await doing


class TestNowAndThen:
    async def test_trouble_is_told_and_it_is_tried_again(self, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(asyncio.CancelledError):
            await until_third(LookupError("not there"))
        assert caplog.messages == ["it could not be done: not there"] * 2

    async def test_a_defect_ends_it(self) -> None:
        with pytest.raises(ValueError, match="a defect"):
            await until_third(ValueError("a defect"))
