"""The API client: :class:`AsyncClient` and :class:`Client` submit workflows, follow their logs and read their state.

Nothing is configured by files: address and API key come as arguments or from ``WATERFLOW_SERVER`` and
``WATERFLOW_API_KEY``. aiohttp is imported with the first request.
"""

from ._async import AsyncClient
from ._definitions import Definitions, SyncDefinitions
from ._errors import (
    AgentAlive,
    AgentAmbiguous,
    AgentNotFound,
    AnswerRefused,
    Conflict,
    Forbidden,
    GroupConflict,
    GroupExists,
    GroupIncluded,
    GroupNotFound,
    IdempotencyConflict,
    InvalidGroups,
    InvalidRequest,
    InvalidSettings,
    InvalidWorkflow,
    KeyNotFound,
    NodeNotFound,
    NotFound,
    NothingToEdit,
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
from ._events import EventStream, SyncEventStream
from ._groups import Groups, SyncGroups
from ._keys import Keys, SyncKeys
from ._logs import LogFilter, LogStream, SyncLogStream
from ._plan import Edited
from ._run import RetryScope, Run
from ._schedules import Schedules, SyncSchedules
from ._settings import DEFAULT_SERVER
from ._sync import Client
from ._sync_run import SyncRun

__all__ = [
    "DEFAULT_SERVER",
    "AgentAlive",
    "AgentAmbiguous",
    "AgentNotFound",
    "AnswerRefused",
    "AsyncClient",
    "Client",
    "Conflict",
    "Definitions",
    "Edited",
    "EventStream",
    "Forbidden",
    "GroupConflict",
    "GroupExists",
    "GroupIncluded",
    "GroupNotFound",
    "Groups",
    "IdempotencyConflict",
    "InvalidGroups",
    "InvalidRequest",
    "InvalidSettings",
    "InvalidWorkflow",
    "KeyNotFound",
    "Keys",
    "LogFilter",
    "LogStream",
    "NodeNotFound",
    "NotFound",
    "NotWaterflow",
    "NothingToEdit",
    "NothingToRetry",
    "NothingWaits",
    "RequestError",
    "RetryScope",
    "Run",
    "RunClosed",
    "RunNotEnded",
    "RunNotFound",
    "Schedules",
    "ServerFault",
    "ServerUnavailable",
    "SyncDefinitions",
    "SyncEventStream",
    "SyncGroups",
    "SyncKeys",
    "SyncLogStream",
    "SyncRun",
    "SyncSchedules",
    "TooManyRequests",
    "Unauthorized",
    "WaterflowError",
    "WorkflowTimeout",
]
