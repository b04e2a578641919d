"""A change of groups whose agents cannot be told: it is said once, in the server's own words."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from temporalio.client import Client

from waterflow_server.groups._store import TableStore


class TestAStartThatFails:
    async def test_is_not_logged_by_asyncio_as_well(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", logger="waterflow.groups")
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        store = TableStore(Client(client.service_client, namespace="nowhere"))
        await store._settle(1)  # pyright: ignore[reportPrivateUsage]
        gc.collect()
        assert told == []
        (said,) = [record.message for record in caplog.records if record.name == "waterflow.groups"]
        assert said.startswith("the groups are changed; that all agents know of it was not awaited: RPCError(")
