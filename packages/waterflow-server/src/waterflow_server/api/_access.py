"""Around every request: its id, and one line in the log about how it went."""

from __future__ import annotations

import logging
import re
import time
from typing import Any
from uuid import uuid4

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from .._logging import FIELDS, request_id

HEADER = b"x-request-id"
_ACCEPTED = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_QUIET = ("/health",)  # asked every few seconds by whoever watches the server

_log = logging.getLogger("waterflow.access")


def access_middleware(app: ASGIApp) -> ASGIApp:
    """Give each request an id (``X-Request-Id``, the caller's where it has a sound one) and log it when it is done."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        own = given if _ACCEPTED.fullmatch(given) else uuid4().hex.encode()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, own)]
            await send(message)

        token = request_id.set(own.decode())
        begun = time.perf_counter()
        try:
            await app(scope, receive, send_with_id)
        finally:
            _write(scope, status, time.perf_counter() - begun)
            request_id.reset(token)

    return handle


def _write(scope: HTTPScope, status: int, seconds: float) -> None:
    path: str = scope["path"]
    level = logging.DEBUG if path.startswith(_QUIET) else logging.INFO
    if not _log.isEnabledFor(level):
        return
    client = scope["client"]
    fields: dict[str, Any] = {
        "method": scope["method"],
        "path": path,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "client": client[0] if client else "",
    }
    if "user" in scope and scope["user"].known:
        fields["caller"] = scope["user"].name
    _log.log(level, "request", extra={FIELDS: fields})
