"""Definitions in documents: the index decides, texts are written before it and removed after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from temporalio.client import Client

from waterflow_sdk.wire import DefinitionVersion

from .._errors import ServerError
from .._nearest import did_you_mean
from ..documents import Document, DocumentConflict, DocumentExists, DocumentNotFound, DocumentStore, DocumentTooLarge
from ._document import DEFINITION_KIND, TEXT_KIND, StoredDefinition, StoredText, text_name
from ._errors import DefinitionConflict, DefinitionNotFound, DefinitionTooLarge

Change = Callable[[StoredDefinition], StoredDefinition]


class DefinitionStore:
    """Reads and changes definitions in one Temporal namespace."""

    def __init__(self, client: Client) -> None:
        self._indexes: DocumentStore[StoredDefinition] = DocumentStore(client, DEFINITION_KIND, StoredDefinition)
        self._texts: DocumentStore[StoredText] = DocumentStore(client, TEXT_KIND, StoredText)

    async def list(self) -> list[Document[StoredDefinition]]:
        """All definitions, by name."""
        return await self._indexes.list()

    async def find(self, name: str) -> Document[StoredDefinition] | None:
        """The definition, or None."""
        return await self._indexes.get(name)

    async def get(self, name: str) -> Document[StoredDefinition]:
        """The definition. Raises DefinitionNotFound with the nearest name."""
        found = await self._indexes.get(name)
        if found is None:
            raise await self._missing(name)
        return found

    async def files(self, name: str) -> dict[str, str] | None:
        """The texts of the active version by path, for files that call it by name; None when there is none."""
        found = await self._indexes.get(name)
        if found is None:
            return None
        text = await self.text(name, found.value.current.version)
        return {**text.files, "workflow.yaml": text.yaml}

    async def text(self, name: str, version: DefinitionVersion) -> StoredText:
        """The text of a version. Raises DefinitionNotFound when it was forgotten meanwhile."""
        found = await self._texts.get(text_name(name, version.digest))
        if found is None:
            raise DefinitionNotFound(f"version {version.number} of definition {name!r} is gone", {"name": name})
        return found.value

    async def keep_text(self, name: str, text: StoredText) -> None:
        """Write a text, if it is not there yet. Raises DefinitionTooLarge."""
        try:
            await self._texts.create(text_name(name, text.digest), text)
        except DocumentExists:
            pass
        except DocumentTooLarge as error:
            raise DefinitionTooLarge(f"the workflow file is too large to be kept: {error.message}") from error

    async def create(self, name: str, stored: StoredDefinition) -> bool:
        """A new definition; False when somebody was faster."""
        try:
            await self._indexes.create(name, stored)
        except DocumentExists:
            return False
        return True

    async def put(self, found: Document[StoredDefinition], stored: StoredDefinition) -> bool:
        """Replace what was read; False when somebody was faster."""
        try:
            await self._indexes.put(found.name, stored, found.version)
        except (DocumentConflict, DocumentNotFound):
            return False
        await self._forget_texts(found.name, found.value, stored)
        return True

    async def change(self, name: str, change: Change) -> StoredDefinition:
        """Change the index, again if somebody came in between. Raises DefinitionNotFound."""
        try:
            return (await self._indexes.change(name, change)).value
        except DocumentNotFound as error:
            raise await self._missing(name) from error

    async def delete(self, name: str) -> StoredDefinition:
        """Forget the definition with all its versions; gives what it was. Raises DefinitionNotFound, -Conflict."""
        found = await self.get(name)
        try:
            await self._indexes.delete(name, found.version)
        except DocumentNotFound as error:
            raise await self._missing(name) from error
        except DocumentConflict as error:
            raise DefinitionConflict(f"definition {name!r} was changed just now; look at it and try again") from error
        await self._forget_texts(name, found.value, None)
        return found.value

    async def _forget_texts(self, name: str, old: StoredDefinition, new: StoredDefinition | None) -> None:
        kept = {each.version.digest for each in new.versions} if new else set[str]()
        for digest in {each.version.digest for each in old.versions} - kept:
            # A text that stays behind does no harm; it is found again when it is sent again.
            with contextlib.suppress(ServerError):
                await self._texts.delete(text_name(name, digest), 1)

    async def _missing(self, name: str) -> DefinitionNotFound:
        names = [each.name for each in await self._indexes.list()]
        return DefinitionNotFound(f"there is no definition {name!r}{did_you_mean(name, names)}", {"name": name})
