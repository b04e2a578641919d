"""What the rollouts of these tests do on a host, and what is seen of them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from harness import Site
from harness.site import until

from waterflow_sdk.client import Run
from waterflow_sdk.wire import RunState, State

Grid = dict[str, State]


def rollout(policy: str, work: Path, *, more: str = "", group: str = "fleet") -> str:
    """A rollout over a group: each host appends its name to ``effects``, and fails where ``bad-<host>`` is there."""
    policy = textwrap.indent(textwrap.dedent(policy).strip(), " " * 6)
    more = textwrap.indent(textwrap.dedent(more).strip("\n"), " " * 4)
    return f"""\
name: rollout
jobs:
  deploy:
    runs-on: {{group: {group}, target: all}}
    rollout:
{policy}
{more}
    steps:
      - run: echo "${{{{ agent.name }}}}" >> {work}/effects
      - run: test ! -e {work}/bad-${{{{ agent.name }}}}
"""


def spoil(work: Path, *hosts: str) -> None:
    """The rollout fails on these hosts."""
    for host in hosts:
        (work / f"bad-{host}").touch()


def mend(work: Path, *hosts: str) -> None:
    """It does no more."""
    for host in hosts:
        (work / f"bad-{host}").unlink()


def effects(work: Path) -> list[str]:
    """The hosts that the rollout has touched, in order."""
    file = work / "effects"
    return file.read_text().split() if file.exists() else []


def grid(run: RunState) -> Grid:
    """What became of each host."""
    return {
        job.agent.name: job.state for job in run.jobs if job.id == "deploy" and job.agent is not None and not job.gate
    }


def gates(run: RunState) -> Grid:
    """What became of what stands between the batches."""
    return {job.instance: job.state for job in run.jobs if job.gate}


def batches(run: RunState) -> list[tuple[int, State, int]]:
    """Number, state and hosts of each batch."""
    return [(batch.number, batch.state, batch.hosts) for batch in run.rollouts[0].batches]


async def until_waiting(run: Run) -> RunState:
    """Wait until somebody has to decide."""
    found: list[RunState] = []

    async def waits() -> bool:
        found[:] = [await run.status("summary")]
        return found[0].state is State.WAITING

    await until(waits, "the run waits")
    return found[0]


async def finished(site: Site, yaml: str) -> RunState:
    """Submit, wait for the end, and read the whole tree."""
    return await finished_run(await site.client.submit(yaml))


async def finished_run(run: Run) -> RunState:
    """Wait for the end, and read the whole tree."""
    await run.wait(180)
    return await run.status("full")
