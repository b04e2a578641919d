"""What can go wrong with a stored definition that is named."""

from __future__ import annotations

from .._errors import ServerError


class DefinitionNotFound(ServerError):
    """There is no definition of that name, or it has no such version (any more)."""

    code = "definition-not-found"


class DefinitionConflict(ServerError):
    """Somebody else was faster: the definition is at another version than the one that was changed."""

    code = "definition-conflict"


class DefinitionDisabled(ServerError):
    """The definition starts no runs."""

    code = "definition-disabled"


class DefinitionInUse(ServerError):
    """The definition cannot be deleted: ``details["runs"]`` and ``details["schedules"]`` use it."""

    code = "definition-in-use"


class DefinitionTooLarge(ServerError):
    """The file, with those that it calls, takes more than a definition may have."""

    code = "definition-too-large"


class InvalidDefinition(ServerError):
    """The name is none, or the file cannot do what it asks for; ``details["errors"]`` say where."""

    code = "invalid-definition"
