"""Which text encodings there are."""

from __future__ import annotations

from waterflow_sdk import InvalidInput


def check_encoding(encoding: str) -> None:
    """Raise :class:`InvalidInput` for a name that Python does not know as a text encoding.

    Tried on a letter, because Python looks up nothing for an empty text.
    """
    try:
        known = "a".encode(encoding).decode(encoding) == "a"
    except (LookupError, ValueError):
        known = False
    if not known:
        raise InvalidInput(f"encoding {encoding!r} is not known", details={"input": "encoding"})
