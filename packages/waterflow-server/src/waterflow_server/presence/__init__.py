"""Agents seen from the server: their presence workflows and the registry that reads them."""

from ._agent_workflow import AgentWorkflow
from ._wire import ALL_SERVERS, FIND_AGENTS_ACTIVITY, AgentQuery, ByeNote, ModeChange
from .activities import presence_activities
from .registry import AgentRegistry

PRESENCE_WORKFLOWS = [AgentWorkflow]
"""For the server's worker on the orchestrator queue."""

__all__ = [
    "ALL_SERVERS",
    "FIND_AGENTS_ACTIVITY",
    "PRESENCE_WORKFLOWS",
    "AgentQuery",
    "AgentRegistry",
    "AgentWorkflow",
    "ByeNote",
    "ModeChange",
    "presence_activities",
]
