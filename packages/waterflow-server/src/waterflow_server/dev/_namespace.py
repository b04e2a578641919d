"""Waits until a Temporal server answers and makes its namespace ready for Waterflow."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from .._search_attributes import ensure_search_attributes

_POLL = 0.05
_STARTING = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.NOT_FOUND, RPCStatusCode.DEADLINE_EXCEEDED})


async def connect_when_up(address: str, namespace: str) -> Client:
    """A client, as soon as the frontend is healthy and knows the namespace. Waits for ever; bound it from outside."""
    while True:
        try:
            client = await Client.connect(address, namespace=namespace)
            if await client.service_client.check_health(retry=False):
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
                return client
        except RuntimeError:
            pass  # the port does not answer yet: the SDK has no narrower error for a connection that fails
        except RPCError as error:
            if error.status not in _STARTING:
                raise
        await asyncio.sleep(_POLL)


async def prepare_namespace(client: Client, namespace: str, retention: timedelta) -> None:
    """Sets the retention of closed runs and registers the search attributes; changes nothing that is so already."""
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    wanted = Duration()
    wanted.FromTimedelta(retention)
    if answer.config.workflow_execution_retention_ttl != wanted:
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(namespace=namespace, config=NamespaceConfig(workflow_execution_retention_ttl=wanted))
        )
    await ensure_search_attributes(client, namespace)
