"""Which scope a key needs for a route: each says it in ``opt``, and one that does not is refused to everybody."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.response import Response

from ..auth import AccessDenied, Caller, ScopeMissing
from ._problems import AnyRequest, problem_response
from ._services import Services

SCOPE = "scope"

OPEN = {SCOPE: "open"}
"""For everybody: health, versions, the description of the API."""

READ = {SCOPE: "read"}
RUN = {SCOPE: "run"}
ADMIN = {SCOPE: "admin"}
AGENT = {SCOPE: "agent"}

Connection = ASGIConnection[Any, Any, Any, Any]


class ScopeGuard:
    """Before anything of a request is read: who calls, and may they. Leaves the caller in ``scope["user"]``."""

    def __init__(self, services: Services) -> None:
        self._access = services.access

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Raises KeyMissing, KeyRefused, ScopeMissing and KeysUnread."""
        wanted = _wanted(handler)
        if wanted == OPEN[SCOPE]:
            return
        caller = self._access.caller(connection.headers.get("authorization"))
        connection.scope["user"] = caller
        if wanted not in caller.scopes:
            has = ", ".join(sorted(caller.scopes))
            raise ScopeMissing(
                f"this needs an API key with the scope {wanted}; that of {caller.name} has {has}", wanted
            )


def provide_caller(request: AnyRequest) -> Caller:
    """Who makes the request, for handlers that want to know."""
    return request.scope["user"]


def of_denied(request: AnyRequest, error: AccessDenied) -> Response[Any]:
    """401 or 403 with the challenge of RFC 6750, section 3."""
    status = 403 if error.code == "forbidden" else 401
    challenge = ", ".join(part for part in ('Bearer realm="waterflow"', error.challenge) if part)
    headers = {"WWW-Authenticate": challenge}
    return problem_response(request, status, error.code, error.message, headers=headers, **error.details)


def _wanted(handler: BaseRouteHandler) -> str:
    if isinstance(handler, HTTPRouteHandler) and handler.http_methods == {"OPTIONS"}:
        return OPEN[SCOPE]  # Litestar's own: which methods there are
    wanted: str = handler.opt.get(SCOPE, "none, it says which one nowhere")
    return wanted
