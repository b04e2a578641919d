"""What a run or a job must not do beside others."""

from __future__ import annotations

from waterflow_dsl.model._base import ModelObject


class Concurrency(ModelObject, frozen=True, kw_only=True):
    """A concurrency group."""

    group: str | None = None
    on_conflict: str | None = None
    cancel_in_progress: bool | str | None = None
    queue: str | None = None
