"""The clock of a workflow, as expressions show it."""

from __future__ import annotations

from temporalio import workflow


def durable_now() -> str:
    """``now()``: the workflow's clock, the same at every replay (RFC 3339, UTC)."""
    return workflow.now().isoformat().replace("+00:00", "Z")
