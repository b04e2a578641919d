"""The paths of the API, for telling somebody who mistyped one."""

from __future__ import annotations

from difflib import SequenceMatcher

from litestar import Litestar

_SIMILARITY = 0.6


def nearest_route(app: Litestar, path: str) -> str | None:
    """The route most like ``path``, as ``/v1/workflows/{run_id}``; None when none is like it."""
    shown = {route.path_format for route in app.routes}
    best = max(sorted(shown), key=lambda route: _similarity(route, path[:200]), default=None)
    return best if best is not None and _similarity(best, path[:200]) >= _SIMILARITY else None


def _similarity(route: str, path: str) -> float:
    wanted, given = route.strip("/").split("/"), path.strip("/").split("/")
    # A parameter stands for any one segment, so it must not make its route look unlike the path.
    filled = [mine if part.startswith("{") else part for part, mine in zip(wanted, given, strict=False)]
    return SequenceMatcher(None, "/".join([*filled, *wanted[len(filled) :]]), "/".join(given), autojunk=False).ratio()
