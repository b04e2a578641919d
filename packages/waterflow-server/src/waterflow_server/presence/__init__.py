"""Agents seen from the server: their presence workflows, the registry that reads them, and document workflows."""

from ._agent_workflow import AgentWorkflow
from ._document_workflow import DOCUMENT_WORKFLOW, DocumentWorkflow
from ._wire import ALL_SERVERS, FIND_AGENTS_ACTIVITY, AgentQuery, ByeNote, DocumentPut, DocumentSeed, ModeChange
from .activities import presence_activities
from .registry import AgentRegistry

PRESENCE_WORKFLOWS = [AgentWorkflow, DocumentWorkflow]
"""For the server's worker on the orchestrator queue."""

__all__ = [
    "ALL_SERVERS",
    "DOCUMENT_WORKFLOW",
    "FIND_AGENTS_ACTIVITY",
    "PRESENCE_WORKFLOWS",
    "AgentQuery",
    "AgentRegistry",
    "AgentWorkflow",
    "ByeNote",
    "DocumentPut",
    "DocumentSeed",
    "DocumentWorkflow",
    "ModeChange",
    "presence_activities",
]
