"""What the keeper has of a former start of the agent."""

from __future__ import annotations

import msgspec


class HeldProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process of a former start of the agent. ``pid`` None: it was collected, its number may be another's."""

    serial: int
    pid: int | None
    begun: float
    key: bytes
    taken: int
    argv: bytes


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt whose processes the keeper has, in the order in which they were started."""

    name: str
    context: bytes
    note: bytes
    deadline: float | None
    fenced: bool
    processes: list[HeldProcess] = []
