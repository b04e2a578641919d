"""Whose time-out counts for an attempt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from waterflow_agent._time_limit import TimeLimit, time_limit
from waterflow_sdk.wire import NodeTask

AGENTS = TimeLimit(60.0, "the agent's `nodes.script_timeout`")

CASES: list[tuple[str, str, float | None, float | None, TimeLimit]] = [
    ("a script that says nothing has the agent's", "shell", None, 60.0, AGENTS),
    ("a step's own goes before, also where it is longer", "shell", 90.0, 60.0, TimeLimit(90.0)),
    ("other nodes have none", "http/request", None, 60.0, TimeLimit(None)),
    ("but their own", "http/request", 90.0, 60.0, TimeLimit(90.0)),
    ("an agent that sets none", "shell", None, None, TimeLimit(None)),
]


@pytest.mark.parametrize(("node", "own", "agents", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_limit(
    make_task: Callable[..., NodeTask], node: str, own: float | None, agents: float | None, expected: TimeLimit
) -> None:
    assert time_limit(make_task(node, timeout=own), agents) == expected
