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
    # A parameter stands for any one segment: it makes its route neither like nor unlike the path.
    same = [place for place, part in enumerate(wanted) if part.startswith("{") and place < len(given)]
    mine, yours = ("/".join(part for place, part in enumerate(parts) if place not in same) for parts in (wanted, given))
    return SequenceMatcher(None, mine, yours, autojunk=False).ratio()
