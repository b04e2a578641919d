"""What coordinators, runs, jobs and the run service say to each other about concurrency groups."""

from __future__ import annotations

from enum import StrEnum

import msgspec

LOCK_WORKFLOW = "WaterflowLock"
"""Workflow type of a coordinator; its id is :func:`~._names.lock_workflow_id`."""

ENQUEUE_SIGNAL = "enqueue"
"""Signal to a coordinator, sent with start: a :class:`LockMember` gets in line. Sending it again changes nothing."""

RELEASE_SIGNAL = "release"
"""Signal to a coordinator: the member with this workflow id leaves, whether it held the group or waited."""

QUEUE_QUERY = "queue"
"""Query of a coordinator: its :class:`LockView`."""

VERDICT_SIGNAL = "concurrency"
"""Signal of a coordinator to a member: its :class:`Verdict`."""

ENQUEUE_ACTIVITY = "EnqueueLock"
"""On the orchestrator queue: get in line. ``LockRequest`` → ``None``."""

WATCH_ACTIVITY = "WatchHolder"
"""On the orchestrator queue: runs until the workflow with this id has ended, however that came. ``str`` → ``None``."""


class OnConflict(StrEnum):
    """What a newcomer does when the group is taken: wait, end who is there, or end itself."""

    QUEUE = "queue"
    CANCEL = "cancel"
    REJECT = "reject"


class LockStruct(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of these structs. Unknown fields are ignored: histories outlive versions."""


class LockMember(LockStruct, frozen=True, kw_only=True):
    """Who wants the group: its workflow id, its policy, and the ids of the workflows that it is a part of.

    ``within`` is how a part that waits for its own whole is found out: it would wait for ever.
    """

    id: str
    on_conflict: OnConflict = OnConflict.QUEUE
    within: list[str] = []


class LockRequest(LockStruct, frozen=True, kw_only=True):
    """A member and the group that it wants, as the user wrote it."""

    group: str
    member: LockMember


class Verdict(LockStruct, frozen=True, kw_only=True):
    """The group is the member's now, or the member has to end for this reason."""

    granted: bool
    reason: str = ""


class LockView(LockStruct, frozen=True, kw_only=True):
    """Who has a group and who waits for it, in order; all by workflow id."""

    group: str
    holder: str | None = None
    waiting: list[str] = []


class LockMemory(LockStruct, frozen=True, kw_only=True):
    """What a coordinator starts with, and takes along when it continues as new.

    ``told`` says that the holder was asked to end; ``departed`` are the ids of former members, newest last.
    """

    group: str
    holder: LockMember | None = None
    told: bool = False
    waiting: list[LockMember] = []
    departed: list[str] = []
