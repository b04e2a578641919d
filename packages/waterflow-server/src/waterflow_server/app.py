"""The ASGI application."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from temporalio.service import RPCError

from waterflow_sdk.codec import CodecError

from ._temporal import explain
from ._version import VERSION
from .api import (
    EXCEPTION_HANDLERS,
    V1,
    HealthController,
    ScopeGuard,
    Services,
    access_middleware,
    of_coded,
    of_denied,
    of_service,
    openapi_config,
    provide_caller,
    refuse_unknown_parameters,
)
from .auth import AccessDenied
from .runs import RunError


def create_app(services: Services) -> Litestar:
    """The API over services: ``/v1/…``, the same as ``/api/v1/…``, ``/health…``, ``/version`` and ``/schema``."""

    def provide_services() -> Services:
        return services

    app = Litestar(
        route_handlers=[
            Router(path="/v1", route_handlers=V1),
            Router(path="/api/v1", route_handlers=V1, include_in_schema=False),
            HealthController,
        ],
        dependencies={
            "services": Provide(provide_services, sync_to_thread=False),
            "caller": Provide(provide_caller, sync_to_thread=False),
        },
        guards=[ScopeGuard(services)],
        before_request=refuse_unknown_parameters,
        exception_handlers={
            **EXCEPTION_HANDLERS,
            AccessDenied: of_denied,
            RunError: of_coded,
            RPCError: _of_temporal,
            CodecError: of_coded,
        },
        openapi_config=openapi_config(VERSION),
        # The server sets up logging, once for the whole process.
        logging_config=None,
    )
    # Outermost, so that addresses that lead nowhere get an id and a line in the log too.
    app.asgi_handler = access_middleware(app.asgi_handler)
    return app


def _of_temporal(request: Request[Any, Any, Any], error: RPCError) -> Response[Any]:
    return of_service(request, explain(error))
