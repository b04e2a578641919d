"""The hello-world example on a stack that runs: from the submit to the first step, and to the end of the run.

The stack's processes and this one share the machine, and so the clock that the moments are taken from.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from waterflow_sdk.client import AsyncClient
from waterflow_server.dev import DevStack, StackSettings

from ._report import Figure, Report

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "hello-world.yaml"
ROUNDS = 15


class Moments(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds after the submit was sent."""

    accepted: float
    first_step: float
    ended: float
    known: float


async def once(client: AsyncClient) -> Moments:
    text = EXAMPLE.read_text(encoding="utf-8")
    sent = datetime.now(UTC)
    run = await client.submit(text)
    accepted = datetime.now(UTC)
    state = await run.wait(60)
    known = datetime.now(UTC)
    started = state.jobs[0].steps[0].attempts[0].started
    if started is None or state.ended is None:
        raise SystemExit(f"the run ended with {state.state}: {state.reason}")
    moments = {"accepted": accepted, "first_step": started, "ended": state.ended, "known": known}
    return Moments(**{name: (moment - sent).total_seconds() * 1000 for name, moment in moments.items()})


async def measure() -> list[Moments]:
    async with DevStack(StackSettings(ephemeral=True, agents=1)) as stack, AsyncClient(stack.server_url) as client:
        for _ in range(3):
            await once(client)
        return [await once(client) for _ in range(ROUNDS)]


def main() -> int:
    report = Report(f"first_step: hello-world on a warm stack, {ROUNDS} runs, median after the submit")
    measured = asyncio.run(measure())
    for name, title in (
        ("accepted", "the submit is accepted"),
        ("first_step", "the first step runs on the agent"),
        ("ended", "the run has ended"),
        ("known", "a client that waits knows it"),
    ):
        value = statistics.median(getattr(moments, name) for moments in measured)
        report.figure(Figure(name=title, value=value, unit=" ms"))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
