"""The typed store: what its callers can rely on, and every error with its whole message."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable

import msgspec
import pytest
from temporalio.client import Client

from waterflow_server._errors import ServerError
from waterflow_server.documents import (
    DocumentConflict,
    DocumentExists,
    DocumentNotFound,
    DocumentStore,
    DocumentTooLarge,
    DocumentUnavailable,
)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    text: str = ""
    count: int = 0


@pytest.fixture
def store(client: Client) -> DocumentStore[Note]:
    return DocumentStore(client, "note", Note)


async def listed(store: DocumentStore[Note], *names: str) -> list[str]:
    """The names in the list, once they are these: visibility lags a moment behind."""
    async with asyncio.timeout(120):
        while (found := [each.name for each in await store.list()]) != list(names):
            await asyncio.sleep(0.02)
    return found


class TestWithoutAWorker:
    async def test_documents_are_made_and_read(self, store: DocumentStore[Note]) -> None:
        assert await store.get("a") is None
        made = await store.create("a", Note(text="first"))
        assert await store.get("a") == made
        assert (made.name, made.version, made.value) == ("a", 1, Note(text="first"))

    async def test_they_are_listed_by_name_within_their_kind(self, store: DocumentStore[Note], client: Client) -> None:
        await store.create("b", Note())
        await store.create("a", Note())
        await DocumentStore(client, "other", Note).create("c", Note())
        assert await listed(store, "a", "b") == ["a", "b"]

    async def test_a_change_is_an_error_after_its_deadline(self, client: Client) -> None:
        store = DocumentStore(client, "note", Note, deadline=0.5)
        await store.create("a", Note())
        with pytest.raises(DocumentUnavailable) as raised:
            await store.put("a", Note(count=1), 1)
        assert raised.value.message == (
            "no server took the change of note 'a' within 0.5 s; it may still take effect, so read it before you try "
            "again"
        )


@pytest.mark.usefixtures("orchestrator")
class TestChanges:
    async def test_put_on_top_of_the_version_that_was_read(self, store: DocumentStore[Note]) -> None:
        made = await store.create("a", Note())
        put = await store.put("a", Note(count=1), made.version)
        assert put.version == 2
        assert await store.get("a") == put

    async def test_writers_at_once_lose_nothing(
        self, store: DocumentStore[Note], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waterflow_server.documents._workflow._CHANGES_PER_RUN", 7)
        await store.create("a", Note())

        async def count() -> None:
            for _ in range(5):
                await store.change("a", lambda note: msgspec.structs.replace(note, count=note.count + 1))

        await asyncio.gather(*(count() for _ in range(4)))
        found = await store.get("a")
        assert found is not None
        assert (found.value.count, found.version) == (20, 21)

    async def test_a_change_that_changes_nothing_makes_no_version(self, store: DocumentStore[Note]) -> None:
        made = await store.create("a", Note())
        assert await store.change("a", lambda note: note) == made

    async def test_a_deleted_document_is_gone_and_can_be_made_again(self, store: DocumentStore[Note]) -> None:
        await store.create("a", Note(text="old"))
        await store.delete("a", 1)
        assert await store.get("a") is None
        await store.create("a", Note(text="new"))
        assert (await listed(store, "a")) == ["a"]

    async def test_large_values_stay_below_the_limit_of_a_history(self, store: DocumentStore[Note]) -> None:
        """120 changes are 60 MB of histories, counted in updates and memos: at 50 MB Temporal ends a workflow."""
        text = secrets.token_hex(125_000)
        version = (await store.create("a", Note())).version
        for count in range(120):
            version = (await store.put("a", Note(text=text[count:] + text[:count], count=count), version)).version
        found = await store.get("a")
        assert found is not None
        assert found.value.count == 119


@pytest.mark.usefixtures("orchestrator")
class TestRefusals:
    async def test_a_second_of_the_same_name(self, store: DocumentStore[Note]) -> None:
        await store.create("a", Note())
        await refused(store.create("a", Note()), DocumentExists, "there is a note 'a' already")

    async def test_a_stale_version(self, store: DocumentStore[Note]) -> None:
        await store.create("a", Note())
        message = "the document is at version 1, not 7; read it and change it again"
        error = await refused(store.put("a", Note(), 7), DocumentConflict, message)
        assert error.details == {"name": "a", "version": 1}

    async def test_deleting_a_stale_version(self, store: DocumentStore[Note]) -> None:
        await store.create("a", Note())
        message = "the document is at version 1, not 7; read it and delete it again"
        await refused(store.delete("a", 7), DocumentConflict, message)

    async def test_a_name_that_is_not_there(self, store: DocumentStore[Note]) -> None:
        await refused(store.put("a", Note(), 1), DocumentNotFound, "there is no note 'a'")
        await refused(store.delete("a", 1), DocumentNotFound, "there is no note 'a'")

    async def test_too_much(self, store: DocumentStore[Note]) -> None:
        message = "the document would take 262165 bytes; at most 262144 are allowed"
        await refused(store.create("a", Note(text="x" * 262_144)), DocumentTooLarge, message)


async def refused(call: Awaitable[object], kind: type[ServerError], message: str) -> ServerError:
    with pytest.raises(kind) as raised:
        await call
    assert raised.value.message == message
    return raised.value
