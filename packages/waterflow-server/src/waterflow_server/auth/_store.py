"""The document that holds all keys. In Temporal it is encrypted as all payloads are, where there is a key ring."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from temporalio.client import Client

from ..documents import DocumentExists, DocumentNotFound, DocumentStore, DocumentTooLarge
from ._errors import InvalidKey
from ._table import KeyTable

KIND = "keys"
NAME = "all"


class KeyStore:
    """Reads and changes the keys."""

    def __init__(self, client: Client) -> None:
        self._documents = DocumentStore(client, KIND, KeyTable)

    async def read(self) -> KeyTable:
        """All keys now."""
        document = await self._documents.get(NAME)
        return document.value if document else KeyTable()

    async def change(self, edit: Callable[[KeyTable], KeyTable]) -> KeyTable:
        """Change the keys. ``edit`` may be called again when others change them too.

        Raises what ``edit`` raises, InvalidKey when there are too many, and DocumentUnavailable.
        """
        try:
            return await self._change(edit)
        except DocumentTooLarge as error:
            raise InvalidKey(
                f"there are too many API keys ({error.message}): agents may share one, and those that ended are "
                "forgotten after 30 days"
            ) from error

    async def _change(self, edit: Callable[[KeyTable], KeyTable]) -> KeyTable:
        try:
            return (await self._documents.change(NAME, edit)).value
        except DocumentNotFound:
            edit(KeyTable())  # what it refuses is not worth a document
            with contextlib.suppress(DocumentExists):
                await self._documents.create(NAME, KeyTable())
            return (await self._documents.change(NAME, edit)).value
