"""The keys as this process knows them: read from Temporal every second, so that no request waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from temporalio.service import RPCError

from waterflow_sdk.codec import CodecError

from .._errors import ServerError
from ._caller import Caller, with_included
from ._table import KeyTable, StoredKey

EVERY = 1.0
"""Seconds between two looks: so long a key that another server revoked may still be taken here."""

_PATIENCE = 5.0

_log = logging.getLogger("waterflow.auth")


class KeySource(Protocol):
    """Where the keys are (:class:`waterflow_server.auth.KeyStore`)."""

    async def read(self) -> KeyTable:
        """All keys now."""
        ...


class KnownKey(msgspec.Struct, frozen=True):
    """A key, and who has it."""

    key: StoredKey
    caller: Caller


class KnownKeys:
    """While Temporal is away, the keys that were read last go on to count."""

    def __init__(self) -> None:
        self._by_id: dict[str, KnownKey] | None = None
        self._taken = 0
        self._failing = False

    @property
    def read(self) -> bool:
        """Whether they were read at all."""
        return self._by_id is not None

    def find(self, id: str) -> KnownKey | None:
        """The key of that id, whether it lives or not."""
        return (self._by_id or {}).get(id)

    def any_admin(self, now: datetime | None = None) -> bool:
        """Whether somebody can make keys with one of them."""
        now = now or datetime.now(UTC)
        return any("admin" in known.caller.scopes and known.key.lives(now) for known in (self._by_id or {}).values())

    def take(self, table: KeyTable) -> None:
        """From now on these are the keys."""
        self._by_id = {key.id: KnownKey(key, _caller(key)) for key in table.keys}
        self._taken += 1

    async def refresh(self, source: KeySource) -> None:
        """Read them once. Raises what the source raises, and TimeoutError."""
        before = self._taken
        async with asyncio.timeout(_PATIENCE):
            table = await source.read()
        if self._taken == before:  # else this process changed them meanwhile, and what was read may be older
            self.take(table)

    async def keep_fresh(self, source: KeySource, pause: Callable[[], float] = lambda: EVERY) -> None:
        """Read them again and again, for ever."""
        while True:
            await asyncio.sleep(pause())
            try:
                await self.refresh(source)
            except (RPCError, ServerError, CodecError, TimeoutError) as error:
                if not self._failing:
                    _log.warning("the API keys cannot be read, those that are known go on to count: %r", error)
                self._failing = True
            else:
                self._failing = False


def _caller(key: StoredKey) -> Caller:
    return Caller(name=key.name, scopes=with_included(key.scopes), key_id=key.id, agent=key.agent)
