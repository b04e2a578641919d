"""All keys of a server, as one document holds them, and what changes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, get_args

import msgspec

from waterflow_sdk.wire import KeyCreate, KeyInfo, KeyScope, Wire

from ._errors import InvalidKey, KeyAmbiguous, KeyNotFound
from ._secret import id_of

RESERVED = frozenset({"admin", "anonymous"})
"""Names of callers that are no stored keys."""

KEEP = timedelta(days=30)
"""So long a key that was revoked or has expired stays in the list, and whoever still uses it is told why not."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)
_NAME_RULE = "letters, digits, '.', '_', '@' and '-', at most 64, the first one a letter or digit"


class StoredKey(Wire, frozen=True, kw_only=True):
    """A key without its secret: ``hash`` is the SHA-256 of the whole key, ``hint`` the end of its secret."""

    id: str
    name: str
    hash: str
    hint: str
    scopes: list[KeyScope]
    created: datetime
    created_by: str = ""
    expires: datetime | None = None
    revoked: datetime | None = None
    agent: str | None = None

    def ended(self) -> datetime | None:
        """When it stops, or has stopped; None for a key without end."""
        return min((end for end in (self.revoked, self.expires) if end), default=None)

    def lives(self, now: datetime) -> bool:
        """Whether it can be used."""
        end = self.ended()
        return end is None or end > now

    def shown(self) -> KeyInfo:
        """As the API shows it."""
        kept = {name: getattr(self, name) for name in self.__struct_fields__ if name != "hash"}
        return KeyInfo(**kept)


class KeyTable(Wire, frozen=True, kw_only=True):
    """All keys, oldest first."""

    keys: list[StoredKey] = []

    def adding(self, key: StoredKey, now: datetime) -> KeyTable:
        """With one more key, and without those that ended long ago."""
        kept = [each for each in self.keys if (end := each.ended()) is None or end > now - KEEP]
        return KeyTable(keys=[*kept, key])

    def find(self, key: str, now: datetime) -> StoredKey:
        """By id, or by the name that only one living key has. Raises KeyNotFound and KeyAmbiguous."""
        key = id_of(key) or key  # whoever gives the key itself must not find it in an error
        if by_id := [each for each in self.keys if each.id == key]:
            return by_id[0]
        found = [each for each in self.keys if each.name == key and each.lives(now)]
        if not found:
            raise KeyNotFound(f"there is no API key {key[:80]!r}", {"key": key[:80]})
        if len(found) > 1:
            ids = [each.id for each in found]
            raise KeyAmbiguous(f"{len(ids)} API keys have the name {key!r}: {', '.join(ids)}; name an id", {"ids": ids})
        return found[0]

    def revoking(self, key: str, now: datetime) -> KeyTable:
        """With one key less that can be used; one that was revoked stays as it is. Raises as ``find``."""
        found = self.find(key, now)
        if found.revoked is not None:
            return self
        after = msgspec.structs.replace(found, revoked=now)
        return KeyTable(keys=[after if each is found else each for each in self.keys])


def check_new(given: KeyCreate, now: datetime) -> list[KeyScope]:
    """The scopes of a new key, each once, in the order of :data:`KeyScope`. Raises InvalidKey with all errors."""
    errors = [*_name_errors(given.name), *_scope_errors(given), *_expiry_errors(given.expires, now)]
    if errors:
        found = [{"path": path, "message": message} for path, message in errors]
        raise InvalidKey("; ".join(f"{each['path']}: {each['message']}" for each in found), {"errors": found})
    order: tuple[Any, ...] = get_args(KeyScope)
    return sorted(set(given.scopes), key=order.index)


def _name_errors(name: str) -> list[tuple[str, str]]:
    if name in RESERVED:
        return [("name", f"{name!r} is taken by the server itself")]
    return [] if _NAME.fullmatch(name) else [("name", f"{name[:80]!r} is not a name: {_NAME_RULE}")]


def _scope_errors(given: KeyCreate) -> list[tuple[str, str]]:
    if not given.scopes:
        return [("scopes", f"a key needs at least one of {', '.join(get_args(KeyScope))}")]
    if given.agent is None:
        return []
    if set(given.scopes) != {"agent"}:
        return [("agent", "only a key whose one scope is agent can belong to one agent")]
    fits = 0 < len(given.agent) <= 256 and given.agent.isprintable()
    return [] if fits else [("agent", "the name of an agent has 1 to 256 printable characters")]


def _expiry_errors(expires: datetime | None, now: datetime) -> list[tuple[str, str]]:
    if expires is None:
        return []
    if expires.tzinfo is None:
        return [("expires", f"{expires.isoformat()} needs a time zone, such as Z for UTC")]
    return [] if expires > now else [("expires", f"{expires.isoformat()} is over")]
