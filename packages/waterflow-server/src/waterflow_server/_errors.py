"""The base of the server's errors: what went wrong in a stable code, one sentence for people, and facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServerError(Exception):
    """Base of the errors that services and stores raise for their callers to show.

    ``code`` is stable and for programs, ``message`` says what, where and what to do, ``details`` holds the same facts
    as plain JSON values.
    """

    code: str = "server-error"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
