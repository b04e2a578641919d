"""Cursors of lists, checked when they come back: Temporal would try a wrong one again and again for seconds."""

from __future__ import annotations

import hashlib

from ._problems import ApiError

_CHECK = 8


def seal(cursor: str | None) -> str | None:
    """The cursor as it is given out."""
    return None if cursor is None else f"{_check(cursor)}{cursor}"


def unseal(text: str | None) -> str | None:
    """The cursor as the service gave it. Raises ApiError (400)."""
    if text is None:
        return None
    check, cursor = text[:_CHECK], text[_CHECK:]
    if check != _check(cursor):
        raise ApiError("invalid-query", "the cursor is not one that this list gave out; leave it out to start again")
    return cursor


def _check(cursor: str) -> str:
    return hashlib.sha256(cursor.encode(errors="surrogatepass")).hexdigest()[:_CHECK]
