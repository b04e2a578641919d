"""For programs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from waterflow_dsl._diagnostics import Diagnostic


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """``{"diagnostics": […]}``; every diagnostic with all of its fields, in snake_case."""
    document = {"diagnostics": list(diagnostics)}
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"
