"""What the agent's own tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from waterflow_agent._journal import Journal
from waterflow_sdk.codec import PayloadCodec
from waterflow_sdk.wire import AgentRef, AttemptKey, NodeTask, RunInfo

AGENT = AgentRef(id="web-01-id", name="web-01")


def key(step: str = "steps[0]", attempt: int = 1) -> AttemptKey:
    """An attempt of the run ``r1``, job ``build``."""
    return AttemptKey(run="r1", job="build", step=step, attempt=attempt)


@pytest.fixture
def make_task() -> Callable[..., NodeTask]:
    """``make_task(node, inputs, **fields)``."""

    def make(node: str, inputs: dict[str, object] | None = None, **fields: object) -> NodeTask:
        given = {
            "key": key(),
            "node": node,
            "agent": AGENT,
            "run": RunInfo(id="r1", name="test"),
            "inputs": inputs or {},
        }
        return NodeTask(**{**given, **fields})  # type: ignore[arg-type]

    return make


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal without encryption."""
    return Journal(tmp_path / "attempts", PayloadCodec())
