"""Characters that look like others: the typing mistakes that nobody can see."""

from __future__ import annotations

import unicodedata


def look_alike(text: str) -> str | None:
    """Names the first character outside ASCII, as in ``'а' (CYRILLIC SMALL LETTER A)``; None when there is none."""
    for character in text:
        if not character.isascii():
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            shown = character if character.isprintable() else f"U+{ord(character):04X}"
            return f"'{shown}' ({name})"
    return None
