"""Small documents without a database: each lives in a workflow of its own, its value in the memo of that workflow."""

from ._errors import DocumentConflict, DocumentExists, DocumentNotFound, DocumentTooLarge, DocumentUnavailable
from ._store import Document, DocumentStore
from ._wire import (
    DOCUMENT_WORKFLOW,
    MAX_DOCUMENT_BYTES,
    VALUE_MEMO,
    VERSION_MEMO,
    DocumentPut,
    DocumentSeed,
)
from ._workflow import DocumentWorkflow

__all__ = [
    "DOCUMENT_WORKFLOW",
    "MAX_DOCUMENT_BYTES",
    "VALUE_MEMO",
    "VERSION_MEMO",
    "Document",
    "DocumentConflict",
    "DocumentExists",
    "DocumentNotFound",
    "DocumentPut",
    "DocumentSeed",
    "DocumentStore",
    "DocumentTooLarge",
    "DocumentUnavailable",
    "DocumentWorkflow",
]
