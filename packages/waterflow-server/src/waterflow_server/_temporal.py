"""The connection to Temporal, and what its errors mean to people."""

from __future__ import annotations

import asyncio
import logging

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import GrpcCompression, PayloadLimitsConfig, RPCError, RPCStatusCode

from waterflow_sdk.codec import KeyFile, PayloadCodec

from ._converter import data_converter
from ._errors import ServerError
from .settings import TemporalConnection

_RETRY = 0.1  # between two attempts to connect, in seconds
# The client reports a deadline of its own (`rpc_timeout`) as CANCELLED.
_AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
    }
)
_LIMITS = PayloadLimitsConfig(memo_warn_size=0)  # documents live in memos, which are larger than Temporal expects

_log = logging.getLogger("waterflow.temporal")


class TemporalUnavailable(ServerError):
    """Temporal cannot be reached, or does not answer in time."""

    code = "temporal-unavailable"


class TemporalInvalid(ServerError):
    """Temporal does not take what it was given: a filter it cannot read, more data than it stores."""

    code = "temporal-invalid"


class TemporalRefused(ServerError):
    """Temporal answered, but will not do what the server needs."""

    code = "temporal-refused"


async def connect(settings: TemporalConnection, keys: KeyFile | None) -> Client:
    """A client whose payloads are sealed with the ring; waits ``settings.wait`` seconds for a Temporal that starts.

    Raises TemporalUnavailable, and TemporalRefused when the namespace is not there.
    """
    try:
        async with asyncio.timeout(settings.wait):
            client = await _connected(settings, keys)
            await _check_namespace(client, settings)
            return client
    except TimeoutError as error:
        raise TemporalUnavailable(
            f"no Temporal server answers at {settings.address} (waited {settings.wait:g} s). Start one, or name "
            "another with --temporal or TEMPORAL_ADDRESS; `waterflow dev` starts a server with its own Temporal",
            {"address": settings.address},
        ) from error


async def _connected(settings: TemporalConnection, keys: KeyFile | None) -> Client:
    converter = data_converter(PayloadCodec(keys))
    said = False
    while True:
        try:
            return await Client.connect(
                settings.address,
                namespace=settings.namespace,
                data_converter=converter,
                payload_limits=_LIMITS,
                # What is large is compressed by our codec and sealed, so that gzip would only take time, on both sides.
                grpc_compression=GrpcCompression.NONE,
            )
        except RuntimeError as error:  # what the SDK's core raises when nobody answers
            if not said:
                _log.info("waiting for Temporal at %s: %s", settings.address, error)
                said = True
            await asyncio.sleep(_RETRY)


async def _check_namespace(client: Client, settings: TemporalConnection) -> None:
    while True:
        try:
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=settings.namespace))
            return
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise TemporalRefused(
                    f"Temporal at {settings.address} has no namespace {settings.namespace!r}; make it with "
                    f"`temporal operator namespace create -n {settings.namespace}` or name another "
                    "(TEMPORAL_NAMESPACE)",
                    {"namespace": settings.namespace},
                ) from error
            if error.status not in _AWAY:
                raise explain(error) from error
            await asyncio.sleep(_RETRY)


def explain(error: RPCError) -> ServerError:
    """What a failed call to Temporal means: that it is away, or that it refuses."""
    if error.status in _AWAY:
        return TemporalUnavailable(f"Temporal does not answer now: {error.message}; try again in a moment")
    if error.status is RPCStatusCode.FAILED_PRECONDITION and "Workflow Task in failed state" in error.message:
        return TemporalUnavailable(
            "the workflow cannot be asked now: its last task failed and will be tried again; the server's log says why"
        )
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        return TemporalInvalid(f"Temporal does not take this: {error.message}")
    return TemporalRefused(f"Temporal refused: {error.message}", {"status": error.status.name})
