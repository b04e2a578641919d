"""All agents that a visibility query finds, from what their workflows show in their memos."""

from __future__ import annotations

from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client

from waterflow_sdk.wire import AgentState

from ._wire import STATE_MEMO

_PAGE = 1000


async def listed_agents(client: Client, query: str) -> list[AgentState]:
    """The states, in no order. A workflow whose first hello was refused has none yet.

    Temporal's own iterator decodes all search attributes of every workflow, twice, which takes three quarters of the
    time and is thrown away here.
    """
    shown: list[Payload] = []
    token = b""
    while True:
        request = ListWorkflowExecutionsRequest(
            namespace=client.namespace, page_size=_PAGE, next_page_token=token, query=query
        )
        page = await client.workflow_service.list_workflow_executions(request, retry=True)
        shown += [each.memo.fields[STATE_MEMO] for each in page.executions if STATE_MEMO in each.memo.fields]
        token = page.next_page_token
        if not token:
            return await client.data_converter.decode(shown, [AgentState] * len(shown)) if shown else []
