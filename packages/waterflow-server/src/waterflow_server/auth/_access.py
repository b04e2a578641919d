"""Who is let in: everybody, or who has a key."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from ._caller import ADMIN, ANONYMOUS, Caller
from ._errors import KeyMissing, KeyRefused, KeysUnread
from ._known import KnownKey, KnownKeys
from ._secret import hash_of, id_of
from ._table import StoredKey


class Access(Protocol):
    """Tells who makes a request. Neither method waits for anything."""

    def caller(self, authorization: str | None) -> Caller:
        """Who calls, by the header ``Authorization`` (RFC 6750). Raises KeyMissing, KeyRefused and KeysUnread."""
        ...

    def stands(self, caller: Caller) -> bool:
        """Whether a caller that was let in would still be."""
        ...


class AnyoneAccess:
    """Nobody is asked for a key."""

    def caller(self, authorization: str | None) -> Caller:
        """Anybody."""
        del authorization
        return ANONYMOUS

    def stands(self, caller: Caller) -> bool:
        """Always."""
        del caller
        return True


class KeyAccess:
    """Who has one of the keys, or the admin key of the settings (its hash)."""

    def __init__(
        self, keys: KnownKeys, admin_hash: str | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._keys = keys
        self._admin = admin_hash
        self._now = now

    def caller(self, authorization: str | None) -> Caller:
        """See :meth:`Access.caller`."""
        given = _bearer(authorization)
        digest = hash_of(given)
        if self._admin is not None and hmac.compare_digest(digest, self._admin):
            return ADMIN
        id = id_of(given)
        if id is None:
            raise KeyRefused("what was sent is not an API key; one looks like wf_<id>_<secret>")
        if not self._keys.read:
            raise KeysUnread("the server has started and has not read the API keys yet; try again in a moment")
        known = self._keys.find(id)
        if known is None or not hmac.compare_digest(digest, known.key.hash):
            raise KeyRefused(
                f"API key {id} is not known here: it was revoked long ago, or it is not a key of this server"
            )
        return self._living(known)

    def stands(self, caller: Caller) -> bool:
        """See :meth:`Access.stands`."""
        if not caller.key_id:
            return True
        known = self._keys.find(caller.key_id)
        return known is not None and known.key.lives(self._now())

    def _living(self, known: KnownKey) -> Caller:
        key, now = known.key, self._now()
        if key.lives(now):
            return known.caller
        raise KeyRefused(f"{_words(key)} {_ending(key)}; an administrator can make a new one")


def _bearer(authorization: str | None) -> str:
    scheme, _, key = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise KeyMissing("this server asks for an API key: send it in the header `Authorization: Bearer <key>`")
    return key.strip()


def _words(key: StoredKey) -> str:
    return f"API key {key.id} ({key.name})"


def _ending(key: StoredKey) -> str:
    """Only told to who has the whole key."""
    end = key.ended()
    assert end is not None
    return f"{'was revoked' if end == key.revoked else 'has expired'} at {end.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
