"""The last look at an outcome before it travels: what a node gave must neither stop the agent nor break a history."""

from __future__ import annotations

import msgspec

from waterflow_sdk.wire import ErrorInfo, NodeOutcome, State

MAX_OUTCOME = 1024 * 1024
"""Bytes of an outcome as JSON. Temporal takes 2 MB as one payload; outputs alone may have 64 KiB."""


def fitting(outcome: NodeOutcome) -> NodeOutcome:
    """The outcome; where it cannot travel, a failure that says why, with what is sure to."""
    try:
        size = len(msgspec.json.encode(outcome))
    except (TypeError, ValueError, RecursionError) as error:
        return _failed(outcome, "outcome-no-json", f"what the step gave is no JSON: {error}")
    if size <= MAX_OUTCOME:
        return outcome
    parts = {"outputs": outcome.outputs, "environment": outcome.env, "masks": outcome.masks, "error": outcome.error}
    largest = max(parts, key=lambda name: len(msgspec.json.encode(parts[name])))
    text = f"what the step gave takes {size:,} bytes, at most {MAX_OUTCOME:,} are allowed; the largest part: {largest}"
    return _failed(outcome, "outcome-too-large", text)


def _failed(outcome: NodeOutcome, code: str, message: str) -> NodeOutcome:
    return NodeOutcome(
        state=State.FAILED,
        agent=outcome.agent,
        started=outcome.started,
        ended=outcome.ended,
        error=ErrorInfo(code=code, message=message),
        log=outcome.log,
    )
