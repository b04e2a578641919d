"""From an HTTP answer that is not a success to the error that says what it means."""

from __future__ import annotations

import re
from http import HTTPStatus

import msgspec

from ..wire import Problem, decode
from ._errors import (
    AgentAlive,
    AgentAmbiguous,
    AnswerRefused,
    Conflict,
    Forbidden,
    GroupConflict,
    GroupExists,
    GroupIncluded,
    IdempotencyConflict,
    InvalidGroups,
    InvalidRequest,
    InvalidWorkflow,
    NotFound,
    NothingToEdit,
    NothingToRetry,
    NothingWaits,
    NotWaterflow,
    RequestError,
    RunClosed,
    RunNotEnded,
    ServerFault,
    ServerUnavailable,
    TooManyRequests,
    Unauthorized,
    WaterflowError,
)

UNAVAILABLE = frozenset({502, 503, 504})
"""Statuses that say "not now" (RFC 9110, 15.6): worth another try on calls that are safe to repeat."""

NO_ROUTE = "route-not-found"
"""Code of a 404 for an address that the API does not have: then nothing is known of what was asked for."""

_BY_STATUS: dict[int, type[RequestError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
    500: ServerFault,
}

_BY_CODE: dict[str, type[RequestError]] = {
    kind.code: kind
    for kind in (
        InvalidWorkflow,
        RunClosed,
        RunNotEnded,
        NothingToEdit,
        NothingToRetry,
        NothingWaits,
        AnswerRefused,
        IdempotencyConflict,
        InvalidGroups,
        AgentAlive,
        AgentAmbiguous,
        GroupExists,
        GroupConflict,
        GroupIncluded,
    )
}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def to_error(
    status: int, body: bytes, request: str, *, missing: type[NotFound] = NotFound, request_id: str = ""
) -> WaterflowError:
    """The error for an answer with ``status``.

    ``request`` (method and address) is only for messages; ``missing`` is the error that a 404 means for this request;
    ``request_id`` is the answer's ``X-Request-Id``, left out when it is no sound one.
    """
    error = _error(status, body, request, missing)
    if _REQUEST_ID.fullmatch(request_id):
        error.details["request_id"] = request_id
    return error


def _error(status: int, body: bytes, request: str, missing: type[NotFound]) -> WaterflowError:
    problem = _parse(body)
    if status in UNAVAILABLE:
        reason = problem.detail if problem else HTTPStatus(status).phrase
        return ServerUnavailable(f"the server cannot answer now: {reason} ({status} to {request})")
    if problem is None and status == 500:  # what the HTTP layer of a Waterflow server says when all else failed
        return ServerFault(f"the server failed: {status} to {request}", status=status)
    if problem is None:
        return not_waterflow(f"answered {status} without a problem document to {request}")
    return _from_problem(status, problem, missing)


def not_waterflow(what: str) -> NotWaterflow:
    """The error for an answer that no Waterflow server gives; ``what`` continues the sentence."""
    return NotWaterflow(f"this is not a Waterflow server: it {what}")


def _parse(body: bytes) -> Problem | None:
    try:
        return decode(body, Problem)
    except msgspec.MsgspecError:
        return None


def _from_problem(status: int, problem: Problem, missing: type[NotFound]) -> RequestError:
    kind = _BY_STATUS.get(status, ServerFault if status >= 500 else RequestError)
    if kind is NotFound and problem.code != NO_ROUTE:
        kind = missing
    narrower = _BY_CODE.get(problem.code, kind)
    if issubclass(narrower, kind):
        kind = narrower
    return kind(problem.detail or problem.title, status=status, code=problem.code or None, errors=problem.errors)
