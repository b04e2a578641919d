"""Notices the end of a holder that did not say so: terminated, timed out, or cut off in the middle of its release."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityHandle

from ._wire import WATCH_ACTIVITY

_HEARTBEAT = timedelta(seconds=10)  # after a server is lost, another one takes up the watch this much later
_LONGEST = timedelta(days=30)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10))


class Watch:
    """Follows one workflow at a time by an activity, which is retried until the workflow has ended."""

    def __init__(self) -> None:
        self.followed: str | None = None
        self._activity: ActivityHandle[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the followed workflow has ended."""
        return self._activity is not None and self._activity.done()

    def follow(self, id: str | None) -> None:
        """Follow this workflow, or none, instead of what was followed."""
        if id == self.followed:
            return
        if self._activity is not None and not self._activity.done():
            self._activity.cancel()
        self.followed, self._activity = id, None if id is None else _start(id)


def _start(id: str) -> ActivityHandle[None]:
    handle = workflow.start_activity(
        WATCH_ACTIVITY,
        id,
        heartbeat_timeout=_HEARTBEAT,
        start_to_close_timeout=_LONGEST,
        retry_policy=_RETRY,
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )
    handle.add_done_callback(_taken_note_of)
    return handle


def _taken_note_of(handle: Any) -> None:
    """Nobody awaits a watch that was called off; its error is looked at, so that asyncio does not complain of it."""
    if not handle.cancelled():
        handle.exception()
