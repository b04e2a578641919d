"""What a key looks like: ``wf_<id>_<secret>``.

The id (48 bits) is shown, the secret (256 bits from the operating system) is told once. What is kept is a plain
SHA-256: slow hashes with salt protect what people think up, which can be guessed; 256 random bits cannot, and a slow
hash would have to be computed for every chunk of every agent's log.
"""

from __future__ import annotations

import hashlib
import re
import secrets

_KEY = re.compile(r"wf_([0-9a-f]{12})_[0-9a-f]{64}", re.ASCII)

HINT_LENGTH = 4
"""So many digits at the end of the secret are shown, to tell which key somebody holds: 240 bits stay unknown."""


def make_key() -> tuple[str, str]:
    """A new key, and its id."""
    id = secrets.token_hex(6)
    return f"wf_{id}_{secrets.token_hex(32)}", id


def id_of(key: str) -> str | None:
    """The id in a key; None for a text that is no key."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def hash_of(key: str) -> str:
    """What is kept of a key: its SHA-256, 64 hex digits."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
