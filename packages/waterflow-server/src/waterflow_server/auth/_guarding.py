"""What a server process needs to ask for keys: put together once, kept fresh while it runs."""

from __future__ import annotations

import logging

import msgspec
from temporalio.client import Client
from temporalio.service import RPCError

from waterflow_sdk.codec import CodecError

from .._errors import ServerError
from ._access import Access, AnyoneAccess, KeyAccess
from ._known import KnownKeys
from ._service import Keys
from ._store import KeyStore

_log = logging.getLogger("waterflow.auth")

HOW_TO_BEGIN = (
    "make one (`openssl rand -hex 32 > admin.key`), name the file in auth.admin_key_file or WATERFLOW_ADMIN_KEY_FILE, "
    "and use it as API key to make the others (`waterflow key create`)"
)


class NoKeys(ServerError):
    """The server would ask for keys that nobody has, and nobody could make."""

    code = "settings"


class Guarding(msgspec.Struct, frozen=True, kw_only=True):
    """``access`` tells who calls, ``keys`` changes the keys. Nothing is kept fresh where nobody is asked for one."""

    access: Access
    keys: Keys
    known: KnownKeys
    store: KeyStore
    asks: bool

    async def keep_fresh(self) -> None:
        """Notice what other servers change; for ever, where keys are asked for."""
        if self.asks:
            await self.known.keep_fresh(self.store)


async def begin_guarding(client: Client, *, asks: bool, admin_hash: str | None) -> Guarding:
    """Read the keys and be ready to ask for them. Raises NoKeys where nobody could make the first one."""
    store, known = KeyStore(client), KnownKeys()
    if asks:
        try:
            await known.refresh(store)
        except (RPCError, ServerError, CodecError, TimeoutError) as error:
            _log.warning("the API keys could not be read yet, again in a moment: %r", error)
        if known.read and admin_hash is None and not known.any_admin():
            raise NoKeys(
                f"the server is to ask for API keys, and there is no key with which to make any: {HOW_TO_BEGIN}"
            )
    access = KeyAccess(known, admin_hash) if asks else AnyoneAccess()
    return Guarding(access=access, keys=Keys(store, known), known=known, store=store, asks=asks)
