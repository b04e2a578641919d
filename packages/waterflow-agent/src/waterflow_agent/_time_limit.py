"""How long an attempt may take: as its step says. A script whose step says nothing has the limit of its agent."""

from __future__ import annotations

from typing import NamedTuple

from waterflow_sdk.wire import NodeTask

SCRIPT_NODE = "shell"
"""The node that the language makes of ``run:``."""


class TimeLimit(NamedTuple):
    """Seconds, None for no limit; and whose they are, to be told where they are not the step's own."""

    seconds: float | None
    whose: str = ""


def time_limit(task: NodeTask, script_timeout: float | None) -> TimeLimit:
    """The limit of an attempt; ``script_timeout`` is what the agent gives scripts whose steps name none."""
    if task.timeout is None and task.node == SCRIPT_NODE and script_timeout is not None:
        return TimeLimit(script_timeout, "the agent's `nodes.script_timeout`")
    return TimeLimit(task.timeout)
