"""Every error as ``application/problem+json`` (RFC 9457): stable code, what, where, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.handlers import HTTPRouteHandler

from waterflow_sdk.wire import Problem

from .._errors import ServerError
from ._parameters import explain, public_name
from ._routes import nearest_route

AnyRequest = Request[Any, Any, Any]

MEDIA_TYPE = "application/problem+json"

STATUS: dict[str, int] = {
    "agent-alive": 409,
    "agent-ambiguous": 409,
    "agent-mismatch": 403,
    "agent-not-found": 404,
    "agent-unavailable": 503,
    "answer-refused": 409,
    "bad-request": 400,
    "definition-conflict": 409,
    "definition-disabled": 409,
    "definition-in-use": 409,
    "definition-not-found": 404,
    "definition-too-large": 413,
    "document-unavailable": 503,
    "group-conflict": 409,
    "group-exists": 409,
    "group-included": 409,
    "group-not-found": 404,
    "idempotency-conflict": 409,
    "invalid-backfill": 422,
    "invalid-definition": 422,
    "invalid-groups": 422,
    "invalid-inputs": 422,
    "invalid-key": 422,
    "invalid-query": 400,
    "invalid-reason": 422,
    "invalid-schedule": 422,
    "invalid-workflow": 422,
    "key-ambiguous": 409,
    "key-not-found": 404,
    "keys-unavailable": 503,
    "log-chunk": 422,
    "log-cursor": 400,
    "log-journal-damaged": 500,
    "log-offset": 409,
    "log-store-unavailable": 503,
    "log-stream": 400,
    "node-not-found": 404,
    "nothing-to-edit": 409,
    "nothing-to-retry": 409,
    "nothing-waits": 409,
    "payload": 503,
    "payload-key": 503,
    "plan-version": 409,
    "run-closed": 409,
    "run-crowded": 409,
    "run-id": 404,
    "run-not-ended": 409,
    "run-not-found": 404,
    "schedule-busy": 409,
    "schedule-exists": 409,
    "schedule-not-found": 404,
    "schedule-of-file": 409,
    "secret-unavailable": 503,
    "secrets-unprotected": 422,
    "temporal-invalid": 400,
    "temporal-unavailable": 503,
    "unsupported-media-type": 415,
    "workflow-too-large": 413,
}
"""HTTP status of the errors of services and stores, by their code; all others are 500."""

_CODES = {
    400: "bad-request",
    404: "route-not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    500: "internal",
}

_log = logging.getLogger("waterflow.api")


class ApiError(ServerError):
    """A request that the API itself refuses; ``code`` is one of :data:`STATUS`."""

    def __init__(self, code: str, message: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message, {"errors": errors or []})
        self.code = code


def problem_response(
    request: AnyRequest,
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response[Any]:
    """The answer; ``members`` are extension members (RFC 9457, section 3.2)."""
    problem = Problem(
        type=f"urn:waterflow:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        instance=request.scope["path"],
        errors=errors or [],
    )
    return Response(
        msgspec.to_builtins(problem) | members, status_code=status, media_type=MEDIA_TYPE, headers=headers or {}
    )


def of_service(request: AnyRequest, error: ServerError) -> Response[Any]:
    """The answer to an error of a service or a store."""
    status = STATUS.get(error.code, 500)
    if status >= 500:
        _log.error("request failed: %s", error.message, exc_info=error if status == 500 else None)
    members = dict(error.details)
    errors = members.pop("errors", None)
    return problem_response(request, status, error.code, error.message, errors, **_safe(members))


def of_coded(request: AnyRequest, error: Exception) -> Response[Any]:
    """The answer to an error of another package that has a ``code`` of :data:`STATUS`."""
    code: str = getattr(error, "code", "internal")
    return problem_response(request, STATUS.get(code, 500), code, str(error))


def _of_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    code = _CODES.get(error.status_code, HTTPStatus(error.status_code).phrase.lower().replace(" ", "-"))
    detail = error.detail
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        limit = request.route_handler.resolve_request_max_body_size()
        detail = f"the body is larger than {limit} bytes, the most that is taken here"
    return problem_response(request, error.status_code, code, detail, headers=error.headers)


def _not_found(request: AnyRequest, error: NotFoundException) -> Response[Any]:
    del error
    path = request.scope["path"]
    near = nearest_route(request.app, path)
    detail = f"there is no {path!r} in this API" + (f"; did you mean {near}?" if near else "; see /schema")
    return problem_response(request, 404, "route-not-found", detail)


def _method_not_allowed(request: AnyRequest, error: MethodNotAllowedException) -> Response[Any]:
    # Litestar keeps them in a set.
    allowed = ", ".join(sorted((error.headers or {}).get("allow", "").split(", ")))
    detail = f"{request.scope['path']!r} does not take {request.method}; it takes {allowed}"
    return problem_response(request, 405, "method-not-allowed", detail, headers={"allow": allowed})


def _validation(request: AnyRequest, error: ValidationException) -> Response[Any]:
    found: list[Any] = error.extra if isinstance(error.extra, list) else []
    errors = [_field_error(request.route_handler, each) for each in found]
    # Litestar ends its sentences with the address, which the caller knows and `instance` repeats.
    detail = (
        "; ".join(f"{each['path']}: {each['message']}" for each in errors) or error.detail.partition(" for path ")[0]
    )
    return problem_response(request, 400, "bad-request", detail, errors)


def _unexpected(request: AnyRequest, error: Exception) -> Response[Any]:
    _log.error("unexpected error in %s %s", request.method, request.scope["path"], exc_info=error)
    detail = "the server met an error that it did not expect; its log has the details under this request's id"
    return problem_response(request, 500, "internal", detail)


def _field_error(handler: HTTPRouteHandler, found: dict[str, Any]) -> dict[str, Any]:
    key, message, source = str(found.get("key", "")), str(found.get("message", "")), _text(found.get("source", ""))
    if key == "data":
        # Litestar's words for a body that is not there are the name of the handler's parameter.
        key, message = "body", "a body is needed" if message == "'data'" else message
    elif source != "body":
        key, message = public_name(handler, key), explain(handler, key, message)
    return {"path": key, "message": message, "source": source}


def _text(value: Any) -> str:
    return str(getattr(value, "value", value))


def _safe(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in Problem.__struct_fields__}


EXCEPTION_HANDLERS: dict[int | type[Exception], Callable[[AnyRequest, Any], Response[Any]]] = {
    ServerError: of_service,
    NotFoundException: _not_found,
    MethodNotAllowedException: _method_not_allowed,
    ValidationException: _validation,
    HTTPException: _of_http,
    Exception: _unexpected,
}
