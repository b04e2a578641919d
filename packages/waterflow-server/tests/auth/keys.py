"""Keys for tests: a clock that stands still, and stored keys with their secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from waterflow_server.auth import KeyTable, StoredKey
from waterflow_server.auth._secret import HINT_LENGTH, hash_of, make_key

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def now() -> datetime:
    """The time in these tests."""
    return NOW


def stored(name: str, *scopes: Any, **more: Any) -> tuple[str, StoredKey]:
    """A key, and what is kept of it."""
    key, id = make_key()
    kept: dict[str, Any] = {
        "id": id,
        "name": name,
        "hash": hash_of(key),
        "hint": key[-HINT_LENGTH:],
        "created": NOW,
        **more,
    }
    return key, StoredKey(scopes=list(scopes), **kept)


def table(*keys: StoredKey) -> KeyTable:
    """A document of keys."""
    return KeyTable(keys=list(keys))
