"""A query parameter that a route does not know is an error with the nearest name, not silently nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler

from .._nearest import did_you_mean
from ._parameters import public_name
from ._problems import ApiError


def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """For ``before_request``. Raises ApiError (400)."""
    given = list(dict.fromkeys(request.query_params))
    if not given:
        return
    known = _parameters(request.route_handler)
    errors = [
        {"path": name, "message": f"unknown query parameter {name!r}{did_you_mean(name, known)}", "source": "query"}
        for name in given
        if name not in known
    ]
    if errors:
        raise ApiError("invalid-query", "; ".join(error["message"] for error in errors), errors)


@lru_cache(256)
def _parameters(handler: HTTPRouteHandler) -> frozenset[str]:
    names = handler.opt.get("query_parameters", ())
    aliases = {public_name(handler, name) for name in handler.parsed_fn_signature.parameters}
    return frozenset({*names, *aliases}) - {"services", "caller", "request", "data"}
