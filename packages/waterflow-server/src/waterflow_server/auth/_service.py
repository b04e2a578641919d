"""The keys, for the API: made, listed, revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from waterflow_sdk.wire import KeyCreate, KeyCreated, KeyInfo

from ._known import KnownKeys
from ._secret import HINT_LENGTH, hash_of, make_key
from ._store import KeyStore
from ._table import KeyTable, StoredKey, check_new


class Keys:
    """The key service. What it changes counts at once in this process, and within seconds in other servers."""

    def __init__(
        self, store: KeyStore, known: KnownKeys, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._known = known
        self._now = now

    async def list(self) -> list[KeyInfo]:
        """All keys, oldest first, with those that ended less than 30 days ago."""
        return [key.shown() for key in (await self._store.read()).keys]

    async def create(self, given: KeyCreate, by: str) -> KeyCreated:
        """A new key, whose secret is told here and never again. Raises InvalidKey."""
        now = self._now()
        scopes = check_new(given, now)
        key, id = make_key()
        stored = StoredKey(
            id=id,
            name=given.name,
            hash=hash_of(key),
            hint=key[-HINT_LENGTH:],
            scopes=scopes,
            created=now,
            created_by=by,
            expires=given.expires,
            agent=given.agent,
        )
        self._known.take(await self._store.change(lambda table: table.adding(stored, now)))
        return KeyCreated(key=key, info=stored.shown())

    async def revoke(self, key: str) -> KeyInfo:
        """Take a key, by id or by its only name, out of use. Raises KeyNotFound and KeyAmbiguous."""
        now = self._now()
        found: list[str] = []

        def edit(table: KeyTable) -> KeyTable:
            found[:] = [table.find(key, now).id]
            return table.revoking(key, now)

        table = await self._store.change(edit)
        self._known.take(table)
        return table.find(found[0], now).shown()
