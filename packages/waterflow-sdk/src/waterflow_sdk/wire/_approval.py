"""Approvals as the state tree shows them: what is asked, of whom, until when, and the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ._base import Wire


class ApprovalInput(Wire, frozen=True, kw_only=True):
    """A value that the answer gives. ``type``: ``string number boolean choice json``, with the ``options`` of a choice.

    A required input without a default has to be in an approval; a rejection needs none.
    """

    type: str = "string"
    required: bool = False
    default: Any = None
    options: list[Any] = []
    description: str = ""


class ApprovalAnswer(Wire, frozen=True, kw_only=True):
    """Who answered what and when. ``by`` is the name that was given with the answer."""

    approved: bool
    at: datetime
    by: str = ""
    comment: str = ""
    inputs: dict[str, Any] = {}


class ApprovalState(Wire, frozen=True, kw_only=True):
    """What a step, or a job before it begins, asks. No ``approvers`` = anybody may answer; ``answer`` None = it waits.

    ``path`` names it in its job instance: the path of the step, or ``environment``. ``inputs`` None = any may be given.
    ``deadline`` None = it waits for ever.
    """

    path: str
    message: str
    since: datetime
    approvers: list[str] = []
    inputs: dict[str, ApprovalInput] | None = None
    deadline: datetime | None = None
    answer: ApprovalAnswer | None = None


class EnvironmentState(Wire, frozen=True, kw_only=True):
    """The environment that a job deploys to. ``url`` is known at the end, where the file says one."""

    name: str
    url: str = ""
