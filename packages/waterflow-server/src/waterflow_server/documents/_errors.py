"""What can go wrong with a document. Services translate them into the words of what they keep."""

from __future__ import annotations

from .._errors import ServerError


class DocumentExists(ServerError):
    """A document of that name is there already."""

    code = "document-exists"


class DocumentNotFound(ServerError):
    """There is no document of that name."""

    code = "document-not-found"


class DocumentConflict(ServerError):
    """The document was changed in the meantime; ``details["version"]`` is the one it is at."""

    code = "document-conflict"


class DocumentTooLarge(ServerError):
    """The value takes more than a document may have."""

    code = "document-too-large"


class DocumentUnavailable(ServerError):
    """No worker took the change in time; it may still take effect."""

    code = "document-unavailable"
