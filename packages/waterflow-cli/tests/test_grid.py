"""A job on several hosts as a grid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from waterflow_cli._grid import grid, hosts_of, rollout_lines
from waterflow_sdk.wire import AgentRef, BatchState, JobState, RolloutState, RunState, State, StepState

BEGAN = datetime(2026, 11, 21, 10, tzinfo=UTC)


def _host(name: str, last: State, batch: int) -> JobState:
    steps = [
        StepState(path="steps[0]", name="Copy", state=State.SUCCESS, started=BEGAN, ended=BEGAN + timedelta(seconds=2)),
        StepState(path="steps[1]", name="Restart", state=last, started=BEGAN, ended=BEGAN + timedelta(seconds=12)),
    ]
    agent = AgentRef(id=name, name=name)
    return JobState(
        id="deploy", instance=f"deploy[{name}]", name="deploy", state=last, agent=agent, steps=steps, batch=batch
    )


HOSTS = [_host("web-01", State.SUCCESS, 1), _host("web-02", State.FAILED, 2)]
GATE = JobState(id="deploy", instance="deploy[batch-1#check]", name="deploy", state=State.SUCCESS, gate="check")


class TestGrid:
    def test_hosts_are_rows_and_steps_are_columns(self):
        headers, rows = grid(HOSTS)
        assert headers == ["HOST", "BATCH", "STATE", "Copy", "Restart", "ERROR"]
        texts = [[cell[0] if isinstance(cell, tuple) else cell for cell in row] for row in rows]
        assert texts == [
            ["web-01", "1", "✓ success", "✓ 2.0s", "✓ 12s", ""],
            ["web-02", "2", "✗ failed", "✓ 2.0s", "✗ 12s", ""],
        ]

    def test_what_stands_between_batches_is_no_host(self):
        run = RunState(id="r", name="r", state=State.FAILED, jobs=[*HOSTS, GATE])
        assert hosts_of(run) == {"deploy": HOSTS}

    def test_one_host_needs_no_grid(self):
        assert hosts_of(RunState(id="r", name="r", state=State.SUCCESS, jobs=HOSTS[:1])) == {}


class TestRollout:
    def test_says_how_it_stands(self):
        batches = [
            BatchState(number=1, state=State.SUCCESS, hosts=1),
            BatchState(number=2, state=State.RUNNING, hosts=4),
        ]
        state = RolloutState(
            job="deploy", state=State.WAITING, hosts=5, failed=1, max_failures=0, reason="why", batches=batches
        )
        assert list(rollout_lines(state)) == [
            "rollout of deploy: waiting, 1 of 5 hosts failed, 0 may: why",
            "✓ batch 1 (1)  ● batch 2 (4)",
        ]
