"""Masking of secret values in text: whole, encoded, line by line, and across the borders of chunks."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from json import dumps
from typing import Any, cast
from urllib.parse import quote, quote_plus

from ._secret import MASK
from ._sound import sound

_SHARED = 2  # no form is shorter
_MIN = 2  # a one-character value would mask half of every line and so give itself away
_MIN_BASE64 = 6  # what remains of a very short value in base64 is too common to mask
_MIN_HEX = 8  # the same for hexadecimal digits
_WRAPS = (64, 76)  # base64 line lengths: RFC 1421 (openssl), RFC 2045 (coreutils)
_HEX_WRAP = 60  # of `xxd -p`


class Masker:
    """Replaces secret values by ``***``. Values may be added at any time; each is masked from then on.

    Masked forms of a value: itself; each line of it, if it has several; its base64 in both alphabets, at each of the
    three alignments it may have inside a longer text, and wrapped; its hexadecimal digits, wrapped too;
    its URL-encoded and JSON-escaped forms.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.longest = 0
        """Length of the longest masked form."""
        self.add(*values)

    def add(self, *values: str) -> None:
        """Mask these values too. Empty and one-character values are ignored."""
        forms = {form for value in values for text in {value, sound(value)} for form in forms_of(text)}
        if forms <= self._forms:
            return
        self._forms |= forms
        self.longest = max(map(len, self._forms))
        self._pattern = re.compile(_alternation(self._forms, _SHARED))

    def mask(self, text: str) -> str:
        """The text with every secret replaced. The text must not be a part of a longer one: see :class:`MaskStream`."""
        text = sound(text)
        if self._pattern is None:
            return text
        return self._pattern.sub(MASK, text)

    def mask_data(self, value: Any) -> Any:
        """JSON data with every string in it masked, keys included."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            items = cast("dict[Any, Any]", value).items()
            return {self.mask_data(key): self.mask_data(item) for key, item in items}
        if isinstance(value, list | tuple):
            return [self.mask_data(item) for item in cast("list[Any]", value)]
        return value

    def split(self, text: str) -> tuple[str, str]:
        """Mask as much of an unfinished text as is certain; return that, and the rest that more text may complete."""
        if self._pattern is None:
            return text, ""
        border = max(text.rfind("\n") + 1, len(text) - self.longest + 1)
        done: list[str] = []
        position = 0
        for match in self._pattern.finditer(text):
            if match.start() >= border:
                break
            done += (text[position : match.start()], MASK)
            position = match.end()
        end = max(position, border)
        return "".join((*done, text[position:end])), text[end:]


class MaskStream:
    """Masks a text that arrives in chunks; a secret cut by a chunk border is found.

    Forms hold no line break, so only the end of an unfinished line is ever held back.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = ""

    def feed(self, text: str) -> str:
        """Append a chunk; return what is now certain, masked."""
        masked, self._held = self._masker.split(self._held + sound(text))
        return masked

    def flush(self) -> str:
        """The end of the text: what was held back, masked."""
        held, self._held = self._held, ""
        return self._masker.mask(held)


def _alternation(forms: Iterable[str], shared: int) -> str:
    """A pattern for any of the forms, the longest first. Forms with the same ``shared`` first characters stand in one
    branch, so that at most positions of a text a look at one or two characters decides, however many forms there are.
    """
    if shared == 0:
        return "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    rests: dict[str, list[str]] = {}
    for form in forms:
        rests.setdefault(form[0], []).append(form[1:])
    return "|".join(f"{re.escape(first)}(?:{_alternation(rest, shared - 1)})" for first, rest in rests.items())


def forms_of(value: str) -> set[str]:
    """Every form of a value that is masked. None of them holds a line break."""
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", value)]
    if len(lines) > 1:  # a line of punctuation alone ("},") is no secret
        lines = [line for line in lines if any(map(str.isalnum, line))]
    plain = [form for form in (value, *lines) if len(form) >= _MIN]
    forms = {form for text in plain for form in (*_escaped(text), *_base64(text), *_hexadecimal(text))}
    return {form for form in forms if len(form) >= _MIN and "\n" not in form and "\r" not in form}


def _escaped(text: str) -> Iterator[str]:
    yield text
    yield text.strip()
    for escaped in (dumps(text)[1:-1], dumps(text, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", "\\/")
    raw = text.encode("utf-8", "surrogatepass")
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)


def _base64(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "surrogatepass")
    whole = base64.b64encode(raw).decode()
    yield from _alphabets(whole)
    for width in _WRAPS:
        for start in range(0, len(whole), width):
            if len(part := whole[start : start + width]) >= _MIN_BASE64:
                yield part
    for shift in range(3):
        aligned = _aligned(raw, shift)
        if len(aligned) >= _MIN_BASE64:
            yield from _alphabets(aligned)


def _hexadecimal(text: str) -> Iterator[str]:
    whole = text.encode("utf-8", "surrogatepass").hex()
    for part in (whole, *(whole[start : start + _HEX_WRAP] for start in range(0, len(whole), _HEX_WRAP))):
        if len(part) >= _MIN_HEX:
            yield part
            yield part.upper()


def _aligned(raw: bytes, shift: int) -> str:
    """The base64 characters that depend on ``raw`` alone when ``shift`` unknown bytes stand in front of it."""
    encoded = base64.b64encode(b"\0" * shift + raw).decode()
    first = -(-shift * 8 // 6)
    last = (shift + len(raw)) * 8 // 6
    return encoded[first:last]


def _alphabets(encoded: str) -> Iterator[str]:
    for text in (encoded, encoded.replace("+", "-").replace("/", "_")):
        yield text
        yield text.rstrip("=")
