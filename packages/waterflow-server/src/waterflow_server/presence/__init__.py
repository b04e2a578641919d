"""Agents seen from the server: their presence workflows and the registry that reads them."""

from ._agent_workflow import AgentWorkflow
from ._facts import AGENT_GROUPS_ACTIVITY, AgentFacts, Assignment, tags_of
from ._hello import fitting
from ._unused import forget_unused_manifests
from ._wire import (
    ALL_SERVERS,
    CHOOSE_AGENT_ACTIVITY,
    FIND_AGENTS_ACTIVITY,
    AgentChoice,
    AgentQuery,
    ByeNote,
    ChoiceQuery,
    ModeChange,
)
from .activities import presence_activities
from .administration import Agents, Mode
from .registry import AgentRegistry

PRESENCE_WORKFLOWS = [AgentWorkflow]
"""For the server's worker on the orchestrator queue."""

__all__ = [
    "AGENT_GROUPS_ACTIVITY",
    "ALL_SERVERS",
    "CHOOSE_AGENT_ACTIVITY",
    "FIND_AGENTS_ACTIVITY",
    "PRESENCE_WORKFLOWS",
    "AgentChoice",
    "AgentFacts",
    "AgentQuery",
    "AgentRegistry",
    "AgentWorkflow",
    "Agents",
    "Assignment",
    "ByeNote",
    "ChoiceQuery",
    "Mode",
    "ModeChange",
    "fitting",
    "forget_unused_manifests",
    "presence_activities",
    "tags_of",
]
