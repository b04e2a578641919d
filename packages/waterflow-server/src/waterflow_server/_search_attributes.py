"""The fixed table of search attributes, shared by runs and agents.

The SQL visibility stores take 3 KeywordLists and 10 Keywords in a namespace, so the table is small and closed. A value
over 2,048 bytes makes the server terminate the workflow: whoever sets one checks its size first. Search attributes do
not pass through the payload codec, so nothing secret may be in them.
"""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

GROUPS = SearchAttributeKey.for_keyword_list("WaterflowGroups")
TAGS = SearchAttributeKey.for_keyword_list("WaterflowTags")
KIND = SearchAttributeKey.for_keyword("WaterflowKind")
NAME = SearchAttributeKey.for_keyword("WaterflowName")
STATE = SearchAttributeKey.for_keyword("WaterflowState")
STARTED_BY = SearchAttributeKey.for_keyword("WaterflowStartedBy")
TENANT = SearchAttributeKey.for_keyword("WaterflowTenant")
BRANCH = SearchAttributeKey.for_keyword("WaterflowBranch")
COMMIT = SearchAttributeKey.for_keyword("WaterflowCommit")
LINK = SearchAttributeKey.for_keyword("WaterflowLink")

KEYWORD_LISTS = (GROUPS, TAGS)
KEYWORDS = (KIND, NAME, STATE, STARTED_BY, TENANT, BRANCH, COMMIT, LINK)

_TYPES: dict[str, IndexedValueType.ValueType] = {
    **{key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST for key in KEYWORD_LISTS},
    **{key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for key in KEYWORDS},
}
_POLL = 0.1
_TIMEOUT = 30.0


class SearchAttributesError(Exception):
    """The namespace cannot have Waterflow's search attributes; the text says why and what to do."""


async def ensure_search_attributes(client: Client, namespace: str, within: float = _TIMEOUT) -> None:
    """Registers what is missing of the table in the namespace and waits until the server takes all of it in a query.

    Calling it again, or from several processes at once, changes nothing. Raises SearchAttributesError when the
    server refuses, when a name is registered with another type, or after `within` seconds.
    """
    try:
        async with asyncio.timeout(within):
            await _add_missing(client, namespace)
            await _until_usable(client, namespace)
    except TimeoutError:
        raise SearchAttributesError(
            f"The search attributes of Waterflow were not usable in the namespace {namespace!r} after {within:.0f} s."
        ) from None


async def _add_missing(client: Client, namespace: str) -> None:
    try:
        # Again when another process was faster: it may have registered a part of the table only.
        while missing := await _missing(client, namespace):
            await _add(client, namespace, missing)
    except RPCError as error:
        raise _refused(namespace, error) from error


async def _missing(client: Client, namespace: str) -> dict[str, IndexedValueType.ValueType]:
    answer = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    present = dict(answer.custom_attributes)
    _require_types(namespace, present)
    return {name: kind for name, kind in _TYPES.items() if name not in present}


async def _add(client: Client, namespace: str, missing: dict[str, IndexedValueType.ValueType]) -> None:
    request = AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        await asyncio.sleep(_POLL)


def _require_types(namespace: str, present: dict[str, IndexedValueType.ValueType]) -> None:
    for name, kind in _TYPES.items():
        if present.get(name, kind) != kind:
            raise SearchAttributesError(
                f"The search attribute {name} of the namespace {namespace!r} has the type {_type_name(present[name])}, "
                f"but Waterflow needs {_type_name(kind)}. Remove it (`temporal operator search-attribute remove "
                f"--namespace {namespace} --name {name}`) or give Waterflow a namespace of its own."
            )


def _type_name(kind: IndexedValueType.ValueType) -> str:
    """As the Temporal CLI spells it: `KeywordList`."""
    return SearchAttributeIndexedValueType(kind).name.title().replace("_", "")


def _refused(namespace: str, error: RPCError) -> SearchAttributesError:
    table = " ".join(f"--name {name} --type {_type_name(kind)}" for name, kind in _TYPES.items())
    return SearchAttributesError(
        f"Temporal refused to register Waterflow's search attributes in the namespace {namespace!r}: {error.message}. "
        f"An administrator can add them: temporal operator search-attribute create --namespace {namespace} {table}"
    )


async def _until_usable(client: Client, namespace: str) -> None:
    # The parts of a server cache the table, so a query may still be refused for some seconds after the registration.
    query = " AND ".join(f"{name} = 'none'" for name in _TYPES)
    while True:
        try:
            await client.workflow_service.count_workflow_executions(
                CountWorkflowExecutionsRequest(namespace=namespace, query=query)
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise _refused(namespace, error) from error
            await asyncio.sleep(_POLL)
        else:
            return
