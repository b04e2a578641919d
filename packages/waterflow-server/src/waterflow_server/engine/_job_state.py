"""A job instance in the state tree, as far as its input says it."""

from __future__ import annotations

from typing import Any

from waterflow_sdk.wire import JobState, State

from ._wire import JobInput


def job_state(given: JobInput, state: State, **known: Any) -> JobState:
    """The instance that ``given`` is for; ``known`` are further fields of its state."""
    known.setdefault("agent", given.agent or given.host)
    return JobState(
        id=given.job.id,
        instance=given.instance,
        name=given.name or given.job.id,
        state=state,
        matrix=given.contexts.get("matrix"),
        item=given.contexts.get("item"),
        index=given.contexts.get("index"),
        calls=str(given.job.call.workflow) if given.job.call else "",
        **known,
    )
