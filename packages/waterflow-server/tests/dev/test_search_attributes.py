"""The table of search attributes on a real namespace."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from waterflow_server import _search_attributes as table
from waterflow_server._search_attributes import SearchAttributesError, ensure_search_attributes
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings


async def registered(client: Client) -> dict[str, int]:
    answer = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    return {name: kind for name, kind in answer.custom_attributes.items() if name.startswith("Waterflow")}


async def until_listed(client: Client, query: str, workflow_id: str) -> None:
    """Lists are eventually consistent, and nothing says when."""
    while True:
        if [found.id async for found in client.list_workflows(query)] == [workflow_id]:
            return
        await asyncio.sleep(0.05)


class TestEmbedded:
    async def test_has_the_whole_table_and_takes_it_in_queries(self, settings: TemporalSettings) -> None:
        async with EmbeddedTemporal(settings) as temporal:
            client = await Client.connect(temporal.address)
            assert sorted(await registered(client)) == sorted(
                f"Waterflow{name}"
                for name in [
                    "Groups",
                    "Tags",
                    "Kind",
                    "Name",
                    "State",
                    "StartedBy",
                    "Tenant",
                    "Branch",
                    "Commit",
                    "Link",
                ]
            )
            pairs = [
                SearchAttributePair(table.GROUPS, ["web", "db"]),
                SearchAttributePair(table.KIND, "run"),
            ]
            await client.start_workflow(
                "Anything", id="x", task_queue="nobody", search_attributes=TypedSearchAttributes(pairs)
            )
            query = "WaterflowGroups = 'db' AND WaterflowKind = 'run'"
            async with asyncio.timeout(60):
                await until_listed(client, query, "x")

    async def test_again_and_at_the_same_time_changes_nothing(self, settings: TemporalSettings) -> None:
        async with EmbeddedTemporal(settings) as temporal:
            client = await Client.connect(temporal.address)
            before = await registered(client)
            await asyncio.gather(*(ensure_search_attributes(client, "default") for _ in range(3)))
            assert await registered(client) == before


class TestRefused:
    async def test_a_name_with_another_type(self, settings: TemporalSettings) -> None:
        async with EmbeddedTemporal(settings) as temporal:
            client = await Client.connect(temporal.address)
            await client.operator_service.remove_search_attributes(
                RemoveSearchAttributesRequest(namespace="default", search_attributes=["WaterflowTags"])
            )
            wrong = {"WaterflowTags": IndexedValueType.INDEXED_VALUE_TYPE_TEXT}
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace="default", search_attributes=wrong)
            )
            with pytest.raises(SearchAttributesError) as caught:
                await ensure_search_attributes(client, "default")
            assert str(caught.value) == (
                "The search attribute WaterflowTags of the namespace 'default' has the type Text, but Waterflow needs "
                "KeywordList. Remove it (`temporal operator search-attribute remove --namespace default --name "
                "WaterflowTags`) or give Waterflow a namespace of its own."
            )

    async def test_an_unknown_namespace(self, settings: TemporalSettings) -> None:
        async with EmbeddedTemporal(settings) as temporal:
            client = await Client.connect(temporal.address)
            with pytest.raises(SearchAttributesError) as caught:
                await ensure_search_attributes(client, "elsewhere")
            first, _, remedy = str(caught.value).partition("An administrator can add them: ")
            assert first.startswith(
                "Temporal refused to register Waterflow's search attributes in the namespace 'elsewhere': "
            )
            assert remedy.startswith(
                "temporal operator search-attribute create --namespace elsewhere "
                "--name WaterflowGroups --type KeywordList --name WaterflowTags --type KeywordList "
                "--name WaterflowKind --type Keyword "
            )
