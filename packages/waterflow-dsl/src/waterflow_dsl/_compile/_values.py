"""Values on their way into the plan."""

from __future__ import annotations

from typing import Any

from waterflow_dsl._convert._scalars import as_text


def env_text(env: dict[str, Any] | str) -> dict[str, Any]:
    """Environment: every value becomes text as GitHub writes it; nothing becomes empty text."""
    if isinstance(env, str):
        return {WHOLE: env}
    return {name: value if isinstance(value, str) else as_text(value) for name, value in env.items()}


WHOLE = "${{}}"
"""Key under which a map stands that is one whole expression; no variable and no input can have that name."""
