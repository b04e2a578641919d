"""What happens in a run, one event after the other, as ``GET /v1/workflows/{id}/events`` streams it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from ._base import Wire
from ._state import AgentRef, State


class EventKind(StrEnum):
    """What an event is about."""

    RUN = "run"
    JOB = "job"
    STEP = "step"
    ATTEMPT = "attempt"
    APPROVAL = "approval"
    PROGRESS = "progress"


class RunEvent(Wire, frozen=True, kw_only=True):
    """Something has become what ``state`` says.

    ``id`` is the same however often and by whichever server the event is told. ``path`` is ``""`` for the run,
    ``deploy[web-01]`` for a job instance, ``deploy[web-01]/steps[2].then[0]`` for a step and its attempts.
    ``data`` holds ``exit_code`` and ``code`` of what failed, ``percent`` of a progress (whose ``reason`` is its
    message), ``by``, ``comment`` and ``inputs`` of an approval's answer. An approval that is asked is ``waiting``; its
    answer is ``success``, ``failed`` (rejected), ``timed-out`` or ``cancelled``.
    """

    id: str
    time: datetime
    kind: EventKind
    state: State
    path: str = ""
    name: str = ""
    reason: str = ""
    agent: AgentRef | None = None
    attempt: int | None = None
    data: dict[str, Any] = {}


class RunEnd(Wire, frozen=True, kw_only=True):
    """The last event of the stream, of the type ``end``: the run has ended, nothing more comes."""

    state: State
