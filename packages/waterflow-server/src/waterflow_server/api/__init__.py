"""The REST API: one controller a resource, over the interfaces in ``_services``."""

from ._access import access_middleware
from ._openapi import openapi_config
from ._problems import EXCEPTION_HANDLERS, of_coded, of_service
from ._query import refuse_unknown_parameters
from ._scopes import ScopeGuard, of_denied, provide_caller
from ._services import AgentService, CatalogService, HealthService, RunService, Services, SubmissionService
from .agents import AgentController
from .definitions import DefinitionController
from .groups import GroupController
from .health import HealthController
from .keys import KeyController
from .log_ingest import LogIngestController
from .logs import LogController
from .nodes import NodeController
from .plan import PlanController
from .run_control import RunControlController
from .run_events import RunEventController
from .schedules import ScheduleController
from .validate import ValidateController
from .workflows import WorkflowController

V1 = (
    WorkflowController,
    RunControlController,
    RunEventController,
    LogController,
    LogIngestController,
    ValidateController,
    PlanController,
    NodeController,
    AgentController,
    GroupController,
    DefinitionController,
    ScheduleController,
    KeyController,
)
"""What is served below ``/v1``."""

__all__ = [
    "EXCEPTION_HANDLERS",
    "V1",
    "AgentService",
    "CatalogService",
    "HealthController",
    "HealthService",
    "RunService",
    "ScopeGuard",
    "Services",
    "SubmissionService",
    "access_middleware",
    "of_coded",
    "of_denied",
    "of_service",
    "openapi_config",
    "provide_caller",
    "refuse_unknown_parameters",
]
