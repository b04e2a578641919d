"""API keys, as the REST API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ._base import Wire

KeyScope = Literal["read", "run", "admin", "agent"]
"""What a key is good for: ``read`` looks at everything but keys; ``run`` also starts and controls runs, definitions and
schedules; ``admin`` also changes agents, groups and keys, and removes runs; ``agent`` sends logs of steps and does
nothing else.
"""


class KeyCreate(Wire, frozen=True, kw_only=True):
    """``POST /v1/keys``: a new key.

    ``name`` is what runs are started by; keys may share it while one takes the place of another. ``agent`` is the name
    of the only agent that a key of scope ``agent`` may send logs for.
    """

    name: str
    scopes: list[KeyScope]
    expires: datetime | None = None
    agent: str | None = None


class KeyInfo(Wire, frozen=True, kw_only=True):
    """A key without its secret; ``hint`` is the end of it."""

    id: str
    name: str
    hint: str
    scopes: list[KeyScope]
    created: datetime
    created_by: str = ""
    expires: datetime | None = None
    revoked: datetime | None = None
    agent: str | None = None


class KeyCreated(Wire, frozen=True, kw_only=True):
    """A new key: ``key`` itself is shown this once, and kept nowhere."""

    key: str
    info: KeyInfo
