"""Looks for values everywhere, in every form in which somebody could still read them."""

import base64
import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from harness.files import files_below

TOKEN = f"of-the-agent-{os.getpid()}-9317"
"""What agents of these tests have in their environment: another one in each process that runs tests on this machine."""

_ENOUGH = 6
"""Shorter pieces are anywhere by chance."""


def forms(value: str) -> set[bytes]:
    """What gives a value away: itself, its lines, and both as base64 (each alignment), URL-encoded, JSON-escaped."""
    found: set[bytes] = set()
    for text in {value, *(line.strip() for line in value.splitlines())}:
        raw = text.encode()
        found |= {raw, json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()}
        found |= {quote(text, safe="").encode(), quote(text).encode(), quote_plus(text).encode()}
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + raw)
            # Only the characters that the value alone decides.
            part = encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
            found |= {part, part.translate(bytes.maketrans(b"+/", b"-_"))}
    return {form for form in found if len(form) >= _ENOUGH}


def found_in(data: bytes, values: Mapping[str, str]) -> set[str]:
    """The names of the values that the data holds, as it is or in what unpacks from it."""
    texts = [data, *_unpacked(data)]
    return {name for name, value in values.items() if any(form in text for form in forms(value) for text in texts)}


def found_below(root: Path, values: Mapping[str, str], *, but: Iterable[str] = ()) -> dict[str, set[str]]:
    """Values by the file that holds them."""
    spared = set(but)
    found: dict[str, set[str]] = {}
    for path in files_below(root):
        name = str(path.relative_to(root))
        if path.is_file() and not any(name.startswith(prefix) for prefix in spared):
            try:
                names = found_in(path.read_bytes(), values)
            except FileNotFoundError:  # a journal that was removed meanwhile
                continue
            if names:
                found[name] = names
    return found


def _unpacked(data: bytes) -> Iterable[bytes]:
    """What is inside of zlib streams and long base64 texts."""
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
        try:
            yield zlib.decompressobj().decompress(data[match.start() : match.start() + 1_000_000])
        except zlib.error:
            continue
    for match in re.finditer(rb"[A-Za-z0-9+/]{24,}={0,2}", data):
        text = match[0].rstrip(b"=")
        try:
            yield base64.b64decode(text + b"=" * (-len(text) % 4))
        except ValueError:
            continue
