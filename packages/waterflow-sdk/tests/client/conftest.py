"""A real HTTP server with scripted answers, speaking as a Waterflow server does."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Routes are added by a test; every request is kept, with its body, in ``requests``."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, bytes, web.Request]] = []
        self._routes: dict[str, Handler] = {}

    def on(self, route: str, *answers: Any) -> None:
        """Answer ``"GET /path"`` with a handler, or with these answers in turn (the last one for ever)."""
        if inspect.iscoroutinefunction(answers[0]):
            self._routes[route] = answers[0]
            return
        left = list(answers)

        async def handler(_: web.Request) -> web.StreamResponse:
            answer = left.pop(0) if len(left) > 1 else left[0]
            return answer() if callable(answer) else ok(answer)

        self._routes[route] = handler

    async def handle(self, request: web.Request) -> web.StreamResponse:
        route = f"{request.method} {request.path}"
        self.requests.append((route, await request.read(), request))
        handler = self._routes.get(route)
        return await handler(request) if handler else problem(404, "not-found", f"there is no {request.path}")()


def ok(value: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


def problem(
    status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None
) -> Callable[[], web.Response]:
    """A problem document, made anew for each request."""
    body = {"type": "about:blank", "title": "x", "status": status, "code": code, "detail": detail}
    content = msgspec.json.encode({**body, "errors": errors or []})
    return lambda: web.Response(status=status, body=content, content_type="application/problem+json")


@pytest.fixture(name="problem")
def problem_fixture() -> Callable[..., Callable[[], web.Response]]:
    return problem


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()
