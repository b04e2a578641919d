"""Concurrency groups: one coordinator workflow per group, which lets its members in one after the other.

A member is a run or a job instance, named by its workflow id. It gets in line by :func:`enqueue`, hears a
:class:`Verdict` by signal, and leaves by the signal ``release``; a member that ends without a word is noticed.
"""

from ._activities import lock_activities
from ._client import Lines, enqueue, look
from ._coordinator import WaterflowLock
from ._names import lock_workflow_id
from ._wire import (
    ENQUEUE_ACTIVITY,
    RELEASE_SIGNAL,
    VERDICT_SIGNAL,
    LockMember,
    LockRequest,
    LockView,
    OnConflict,
    Verdict,
)

__all__ = [
    "ENQUEUE_ACTIVITY",
    "RELEASE_SIGNAL",
    "VERDICT_SIGNAL",
    "Lines",
    "LockMember",
    "LockRequest",
    "LockView",
    "OnConflict",
    "Verdict",
    "WaterflowLock",
    "enqueue",
    "lock_activities",
    "lock_workflow_id",
    "look",
]
