"""API keys of a server, as the client makes, lists and revokes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..wire import KeyCreate, KeyCreated, KeyInfo, KeyScope
from ._errors import KeyNotFound
from ._portal import Portal
from ._transport import Transport, segment

_PATH = "/v1/keys"


class Keys:
    """The API keys of a server: ``client.keys``. All of it needs a key of scope ``admin``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> list[KeyInfo]:
        """All keys, oldest first, without their secrets; those that ended stay for 30 days."""
        return await self._transport.call("GET", _PATH, list[KeyInfo])

    async def create(
        self, name: str, scopes: Sequence[KeyScope], *, expires: datetime | None = None, agent: str | None = None
    ) -> KeyCreated:
        """A new key: ``key`` of the answer is shown this once. ``expires`` is a time with a time zone.

        ``agent`` binds a key of scope ``agent`` to the agent of that name. Raises :class:`InvalidRequest`.
        """
        body = KeyCreate(name=name, scopes=list(scopes), expires=expires, agent=agent)
        return await self._transport.call("POST", _PATH, KeyCreated, body=body, safe=False)

    async def revoke(self, key: str) -> KeyInfo:
        """Take a key out of use, by its id, its name, or itself. Raises :class:`KeyNotFound`, and :class:`Conflict`
        where several keys have the name.
        """
        path = f"{_PATH}/{segment(_id(key))}"
        return await self._transport.call("DELETE", path, KeyInfo, missing=KeyNotFound)


class SyncKeys:
    """The API keys of a server; see :class:`Keys`."""

    def __init__(self, portal: Portal, keys: Keys) -> None:
        self._portal = portal
        self._keys = keys

    def list(self) -> list[KeyInfo]:
        """See :meth:`Keys.list`."""
        return self._portal.call(self._keys.list())

    def create(
        self, name: str, scopes: Sequence[KeyScope], *, expires: datetime | None = None, agent: str | None = None
    ) -> KeyCreated:
        """See :meth:`Keys.create`."""
        return self._portal.call(self._keys.create(name, scopes, expires=expires, agent=agent))

    def revoke(self, key: str) -> KeyInfo:
        """See :meth:`Keys.revoke`."""
        return self._portal.call(self._keys.revoke(key))


def _id(key: str) -> str:
    """Of a whole key only its id is sent: addresses end in logs."""
    parts = key.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == "wf" else key
