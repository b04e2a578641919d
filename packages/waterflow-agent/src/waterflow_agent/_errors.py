"""Why an agent cannot start or go on::

AgentError
├── SettingsError     agent-settings   a setting is unknown, wrong or unreadable
├── StateError        agent-state      the state directory cannot be used, or another process uses it
├── NodeConflict      node-conflict    two distributions claim one node name
└── Refused           agent-refused    the server does not accept this agent
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class AgentError(Exception):
    """``code`` is stable, ``message`` says what to do, ``details`` are JSON facts."""

    code: ClassVar[str] = "agent"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class SettingsError(AgentError):
    """A setting is unknown, wrong or unreadable; the message names its source."""

    code = "agent-settings"


class StateError(AgentError):
    """The state directory cannot be used."""

    code = "agent-state"


class NodeConflict(AgentError):
    """Two distributions claim one node name."""

    code = "node-conflict"


class Refused(AgentError):
    """The server does not accept this agent: another major version, or something wrong in what it says of itself."""

    code = "agent-refused"
