"""Waterflow for other people's code: the node interface, and the API client.

Node authors: subclass :class:`Node` (or decorate a function with ``waterflow_sdk.node.node``) and test it with
``waterflow_sdk.testing``.
Host applications: :class:`AsyncClient` or :class:`Client`, imported when first used, so that an agent never loads them.
The wire structs are in ``waterflow_sdk.wire``, the payload codec in ``waterflow_sdk.codec``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .node import (
    IncompatibleNode,
    InvalidInput,
    InvalidNode,
    InvalidOutput,
    Line,
    Node,
    NodeCancelled,
    NodeContext,
    NodeError,
    NodeExample,
    NodeInput,
    NodeManifest,
    NodeOutput,
    NodeTimeout,
    NotFoundError,
    OutputTooLarge,
    PermissionDenied,
    ProcessFailed,
    ProcessResult,
    Secret,
    SyncNodeContext,
    check_node,
    manifest_of,
)

if TYPE_CHECKING:
    from .client import (
        AgentNotFound,
        AnswerRefused,
        AsyncClient,
        Client,
        Conflict,
        Forbidden,
        IdempotencyConflict,
        InvalidRequest,
        InvalidSettings,
        InvalidWorkflow,
        NodeNotFound,
        NotFound,
        NothingToRetry,
        NothingWaits,
        NotWaterflow,
        RequestError,
        RunClosed,
        RunNotEnded,
        RunNotFound,
        ServerFault,
        ServerUnavailable,
        TooManyRequests,
        Unauthorized,
        WaterflowError,
        WorkflowTimeout,
    )

__all__ = [
    "AgentNotFound",
    "AnswerRefused",
    "AsyncClient",
    "Client",
    "Conflict",
    "Forbidden",
    "IdempotencyConflict",
    "IncompatibleNode",
    "InvalidInput",
    "InvalidNode",
    "InvalidOutput",
    "InvalidRequest",
    "InvalidSettings",
    "InvalidWorkflow",
    "Line",
    "Node",
    "NodeCancelled",
    "NodeContext",
    "NodeError",
    "NodeExample",
    "NodeInput",
    "NodeManifest",
    "NodeNotFound",
    "NodeOutput",
    "NodeTimeout",
    "NotFound",
    "NotFoundError",
    "NotWaterflow",
    "NothingToRetry",
    "NothingWaits",
    "OutputTooLarge",
    "PermissionDenied",
    "ProcessFailed",
    "ProcessResult",
    "RequestError",
    "RunClosed",
    "RunNotEnded",
    "RunNotFound",
    "Secret",
    "ServerFault",
    "ServerUnavailable",
    "SyncNodeContext",
    "TooManyRequests",
    "Unauthorized",
    "WaterflowError",
    "WorkflowTimeout",
    "check_node",
    "manifest_of",
]


def __getattr__(name: str) -> Any:
    if name in __all__:  # what is not imported above belongs to the client
        return getattr(import_module(".client", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
