"""The Waterflow worker on a target host, also embeddable: ``Agent(temporal=…, groups=…, nodes=[…])``.

The names are imported when they are first used, so that ``import waterflow_agent`` costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing's, which would cost the keeper a megabyte
if TYPE_CHECKING:
    from typing import Any

    from ._agent import Agent
    from ._errors import AgentError, NodeConflict, Refused, SettingsError, StateError
    from ._settings import AgentSettings

__all__ = ["Agent", "AgentError", "AgentSettings", "NodeConflict", "Refused", "SettingsError", "StateError"]


def __getattr__(name: str) -> Any:
    if name == "Agent":
        from ._agent import Agent

        return Agent
    if name == "AgentSettings":
        from ._settings import AgentSettings

        return AgentSettings
    if name in __all__:
        from . import _errors

        return getattr(_errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
