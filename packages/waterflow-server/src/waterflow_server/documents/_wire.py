"""What a document's workflow is started with and told."""

from __future__ import annotations

from typing import Any

import msgspec

from waterflow_sdk.wire import Wire

DOCUMENT_WORKFLOW = "WaterflowDocument"
"""Workflow type of a document; id ``doc/<kind>/<name>``."""

VALUE_MEMO = "value"
VERSION_MEMO = "version"

MAX_DOCUMENT_BYTES = 256 * 1024
"""A memo much above this makes every list of documents slow (measured)."""

PUT_UPDATE = "put"
DELETE_UPDATE = "delete"

CONFLICT = "Conflict"
ROLLING_OVER = "RollingOver"
TOO_LARGE = "TooLarge"


class DocumentSeed(Wire, frozen=True, kw_only=True):
    """Version of a document when its workflow starts; the value itself is in the memo."""

    version: int = 1


class DocumentPut(Wire, frozen=True, kw_only=True):
    """A new value, valid only on top of version ``expected``."""

    expected: int
    value: Any


def too_large(value: Any) -> str | None:
    """Why a value is refused for its size; None when it fits."""
    size = len(msgspec.json.encode(value))
    if size <= MAX_DOCUMENT_BYTES:
        return None
    return f"the document would take {size} bytes; at most {MAX_DOCUMENT_BYTES} are allowed"
