"""Keys in a real Temporal: made, read by another server, revoked."""

from __future__ import annotations

import pytest
from temporalio.client import Client

from waterflow_sdk.wire import KeyCreate, KeyCreated
from waterflow_server.auth import InvalidKey, KeyAccess, KeyNotFound, KeyRefused, Keys, KeyStore, KnownKeys
from waterflow_server.auth._guarding import NoKeys, begin_guarding
from waterflow_server.documents import DocumentWorkflow
from waterflow_server.documents._wire import too_large
from waterflow_server.engine.worker import WORKFLOWS

from .keys import now, stored, table


async def made(keys: Keys, name: str, *scopes: str) -> KeyCreated:
    """A new key."""
    return await keys.create(KeyCreate(name=name, scopes=list(scopes)), "admin")  # type: ignore[arg-type]


@pytest.mark.usefixtures("orchestrator")
class TestKeys:
    """One Temporal for the whole story: it takes a second to start."""

    async def test_from_the_first_one_to_its_end(self, client: Client) -> None:
        store, known = KeyStore(client), KnownKeys()
        keys = Keys(store, known, now)
        with pytest.raises(KeyNotFound):
            await keys.revoke("ann")
        with pytest.raises(InvalidKey):
            await made(keys, "admin", "read")
        assert await keys.list() == []

        first, second = await made(keys, "ann", "admin"), await made(keys, "bob", "read")
        assert [(key.name, key.created_by) for key in await keys.list()] == [("ann", "admin"), ("bob", "admin")]
        # This process knows it at once, another one with its next look.
        assert KeyAccess(known, None, now).caller(f"Bearer {first.key}").name == "ann"
        elsewhere = KnownKeys()
        await elsewhere.refresh(store)
        other = KeyAccess(elsewhere, None, now)
        assert other.caller(f"Bearer {second.key}").name == "bob"

        await keys.revoke("bob")
        await elsewhere.refresh(store)
        with pytest.raises(KeyRefused, match="was revoked at 2026-11-21 10:00:00 UTC"):
            other.caller(f"Bearer {second.key}")

        # Nothing that could be used is in Temporal, not even for who has the key ring.
        description = await client.get_workflow_handle("doc/keys/all").describe()
        assert first.key[-64:] not in str(await description.memo())

        # Who starts with keys to ask for has an administrator in them.
        assert (await begin_guarding(client, asks=True, admin_hash=None)).known.any_admin()
        await keys.revoke(first.info.id)
        with pytest.raises(NoKeys):
            await begin_guarding(client, asks=True, admin_hash=None)


class TestDocument:
    def test_is_one_that_servers_run(self) -> None:
        assert DocumentWorkflow in WORKFLOWS

    def test_has_room_for_hundreds_of_agents(self) -> None:
        keys = [
            stored(f"web-{number:04}", "agent", agent=f"web-{number:04}", created_by="ann")[1] for number in range(700)
        ]
        assert too_large(table(*keys)) is None
