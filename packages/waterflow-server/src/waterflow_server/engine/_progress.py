"""How far a step or block has got that has begun: with this a new run of the job's workflow goes on with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from waterflow_sdk.wire import NodeOutcome

from ._policy import AttemptPolicy


class Resolved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step with nothing left to evaluate."""

    path: str
    name: str
    node: str
    version: str | None = None
    inputs: dict[str, Any] = {}
    env: dict[str, str] = {}
    run_as: str = ""
    memory: int | None = None


class Progress(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was decided once and is not evaluated again. All times are seconds since 1970.

    ``chosen``: the branch of an ``if``. ``items``, ``limit``, ``fail_fast``: of a ``for-each`` or ``parallel``;
    ``undo``: something in the loop has a rollback, so that the items are needed to the end.
    ``most``, ``delay``, ``due``: of a ``while``, ``due`` being when the next iteration begins. ``inputs``: of a control
    node. ``task`` and ``policy``: of a step on an agent; ``spent`` of its attempts are used up, after ``outcome`` the
    next one follows at ``due``; its agent is lost since ``lost_since``.
    """

    chosen: str = ""
    undo: bool = False
    items: list[Any] | None = None
    limit: int = 0
    fail_fast: bool = True
    most: int = 0
    delay: float = 0.0
    due: float | None = None
    inputs: dict[str, Any] | None = None
    task: Resolved | None = None
    policy: AttemptPolicy | None = None
    spent: int = 0
    outcome: NodeOutcome | None = None
    lost_since: datetime | None = None

    def closed(self) -> Progress:
        """Of a block that has ended: what it takes to find its way through it again, and to undo what is in it."""
        return Progress(chosen=self.chosen, undo=self.undo, items=self.items if self.undo else None)
