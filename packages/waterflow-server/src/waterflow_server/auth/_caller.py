"""Who makes a request."""

from __future__ import annotations

import msgspec

from waterflow_sdk.wire import KeyScope

_INCLUDED: dict[KeyScope, tuple[KeyScope, ...]] = {"admin": ("run", "read"), "run": ("read",)}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is what runs are started by. ``key_id`` is empty for whoever did not need a key, and for the admin key
    of the settings. ``agent`` is the only agent in whose name logs may be sent; None = any.
    """

    name: str
    scopes: frozenset[KeyScope]
    key_id: str = ""
    agent: str | None = None

    @property
    def known(self) -> bool:
        """Whether a key says who it is."""
        return self is not ANONYMOUS


def with_included(scopes: list[KeyScope]) -> frozenset[KeyScope]:
    """The scopes and those that they include: ``admin`` is ``run`` too, ``run`` is ``read`` too.

    Nothing includes ``agent``: what stands in a log was sent by agents.
    """
    return frozenset(scopes).union(*(_INCLUDED.get(scope, ()) for scope in scopes))


ANONYMOUS = Caller(name="anonymous", scopes=frozenset({"read", "run", "admin", "agent"}))
"""Everybody, where no keys are asked for."""

ADMIN = Caller(name="admin", scopes=with_included(["admin"]))
"""Who has the admin key of the settings."""
