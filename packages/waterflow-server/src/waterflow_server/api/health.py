"""``/health`` and ``/version``."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from waterflow_sdk.wire import Health

from .._version import VERSION
from ._scopes import OPEN
from ._services import Services


class HealthController(Controller):
    """For whoever watches the server."""

    path = "/"
    tags = ("health",)
    opt = OPEN

    @get("/health/live")
    async def live(self) -> Health:
        """200 as long as the process answers."""
        return Health(status="ok", version=VERSION)

    @get(["/health", "/health/ready"])
    async def ready(self, services: NamedDependency[Services]) -> Response[Health]:
        """200 when runs can be started and worked on, else 503 with the reason."""
        health = await services.health.check()
        return Response(health, status_code=200 if health.status == "ok" else 503)

    @get("/version")
    async def version(self) -> dict[str, str]:
        """Versions of the server and of what it speaks."""
        from waterflow_sdk.wire import WIRE_VERSION

        return {"version": VERSION, "wire": WIRE_VERSION, "api": "v1", "language": "1.0"}
