"""The second port: it takes the logs of agents and nothing else, so that a firewall may open it alone."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from typing import Any

import msgspec

from ._errors import ServerError
from .settings import Settings, is_loopback

PORT = 9090
"""Where it listens on loopback if the setting says nothing and nobody else does."""

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]


class IngestPortBusy(ServerError):
    """Another program listens on the port that the setting names."""

    code = "port-busy"


@contextlib.contextmanager
def listening_for_ingest(settings: Settings) -> Generator[socket.socket | None]:
    """The socket, bound; None where there is to be none. Raises IngestPortBusy."""
    port = settings.ingest_port
    if port == 0 or (port is None and (not is_loopback(settings.host) or settings.port == PORT)):
        yield None
        return
    listener = socket.socket(
        socket.AF_INET6 if ":" in settings.host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield listener if _bound(listener, settings.host, port) else None


def _bound(listener: socket.socket, host: str, port: int | None) -> bool:
    try:
        listener.bind((host, PORT if port is None else port))
        listener.listen()  # two that only bind may have the same port
    except OSError as error:
        if port is None and error.errno == errno.EADDRINUSE:
            return False
        raise IngestPortBusy(
            f"`ingest_port`: cannot listen on {host}:{port}: {error.strerror}; choose another one, or 0 for none",
            {"port": port},
        ) from error
    return True


def only_ingest(app: App, listener: socket.socket | None, port: int) -> App:
    """The application, of which the listener's port shows the ingest alone; ``port`` is where the whole API is."""
    if listener is None:
        return app
    restricted: int = listener.getsockname()[1]

    async def asgi(scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] == "http" and scope["server"][1] == restricted and not _is_ingest(scope):
            await _refuse(send, port)
        else:
            await app(scope, receive, send)

    return asgi


def _is_ingest(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["method"] == "PUT" and path.startswith(("/v1/logs/", "/api/v1/logs/"))


async def _refuse(send: Send, port: int) -> None:
    problem = {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "ingest-only",
        "detail": f"this port takes only logs of agents; the API is on port {port}",
    }
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(problem)})
