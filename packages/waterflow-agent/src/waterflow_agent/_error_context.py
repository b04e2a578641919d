"""What somebody who reads an error needs beside it: host, step, node, inputs and the last lines of output.

Everything is masked, and cut to what an error can carry: it goes into histories.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from waterflow_sdk.node import StepContext
from waterflow_sdk.wire import ErrorInfo, NodeTask

MAX_TEXT = 500
"""Characters of a text among the inputs, and of a line of output."""

MAX_INPUTS = 4096
"""Bytes of all inputs as JSON; where they are more, the longest are left out."""

_MAX_ITEMS = 50


def with_context(error: ErrorInfo, task: NodeTask, host: str, ctx: StepContext | None = None) -> ErrorInfo:
    """The error with ``host``, ``step``, ``node``, ``inputs`` and ``tail`` in its details; what is there stays."""
    details: dict[str, Any] = {"host": host, "step": f"{task.key.job}/{task.key.step}", "node": task.node}
    if ctx is not None:
        # Inputs that could not be read may be secrets that nobody could know as such.
        if error.code != "invalid-input" and (inputs := _inputs(ctx.masker.mask_data(task.inputs))):
            details["inputs"] = inputs
        if ctx.tail:
            details["tail"] = ctx.tail
    details |= error.details
    if "tail" in details:
        details["tail"] = [_cut(line) for line in details["tail"]]
    return msgspec.structs.replace(error, details=details)


def _inputs(masked: dict[str, Any]) -> dict[str, Any]:
    """The inputs, each cut; the longest become ``…`` until all together are small enough."""
    cut = {name: _short(value) for name, value in masked.items()}
    for name in sorted(cut, key=lambda name: -len(msgspec.json.encode(cut[name]))):
        if len(msgspec.json.encode(cut)) <= MAX_INPUTS:
            return cut
        cut[name] = "…"
    return cut if len(msgspec.json.encode(cut)) <= MAX_INPUTS else {}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).items())
        return {_cut(name): _short(each) for name, each in items[:_MAX_ITEMS]}
    if isinstance(value, list):
        return [_short(each) for each in cast("list[Any]", value)[:_MAX_ITEMS]]
    return value


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
