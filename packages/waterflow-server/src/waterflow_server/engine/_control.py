"""Control nodes: run by the interpreter itself, durably and without an agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from waterflow_dsl import parse_duration

from ._stop import Stop
from ._values import StepFailure

Outputs = dict[str, Any]


class StopJob(Exception):
    """``stop``: the job ends here, as success."""


async def _sleep(inputs: Mapping[str, Any], stop: Stop) -> Outputs:
    try:
        seconds = parse_duration(inputs.get("duration", ""))
    except ValueError as error:
        raise StepFailure("invalid-input", f"with.duration: {error}") from error
    await stop.sleep(seconds)
    return {}


async def _fail(inputs: Mapping[str, Any], _stop: Stop) -> Outputs:
    raise StepFailure("failed", str(inputs.get("message") or "the workflow says that this is a failure"))


async def _stop_job(inputs: Mapping[str, Any], _stop: Stop) -> Outputs:
    raise StopJob(str(inputs.get("message") or ""))


async def _transform(inputs: Mapping[str, Any], _stop: Stop) -> Outputs:
    return dict(inputs)


_NODES: dict[str, Callable[[Mapping[str, Any], Stop], Awaitable[Outputs]]] = {
    "data/transform": _transform,
    "fail": _fail,
    "sleep": _sleep,
    "stop": _stop_job,
}

CONTROL_NODES_RUN = frozenset(_NODES)
"""Control nodes that this interpreter can run."""


async def run_control(name: str, inputs: Mapping[str, Any], stop: Stop) -> Outputs:
    """Run a control node to its outputs; raises StepFailure or StopJob."""
    try:
        node = _NODES[name]
    except KeyError:
        raise StepFailure("not-available", f"the control node {name} cannot be run by this server") from None
    return await node(inputs, stop)
