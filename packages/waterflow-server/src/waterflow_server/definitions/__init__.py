"""Stored workflows: versions, which of them is active, and runs of them."""

from ._checks import check_name, needed_secrets, specified_by
from ._cron import check_fires, cron_lines
from ._document import KEPT_VERSIONS, StoredDefinition, definition_label, schedule_names
from ._errors import (
    DefinitionConflict,
    DefinitionDisabled,
    DefinitionInUse,
    DefinitionNotFound,
    DefinitionTooLarge,
    InvalidDefinition,
)
from ._service import Definitions, disabled
from ._store import DefinitionStore

__all__ = [
    "KEPT_VERSIONS",
    "DefinitionConflict",
    "DefinitionDisabled",
    "DefinitionInUse",
    "DefinitionNotFound",
    "DefinitionStore",
    "DefinitionTooLarge",
    "Definitions",
    "InvalidDefinition",
    "StoredDefinition",
    "check_fires",
    "check_name",
    "cron_lines",
    "definition_label",
    "disabled",
    "needed_secrets",
    "schedule_names",
    "specified_by",
]
