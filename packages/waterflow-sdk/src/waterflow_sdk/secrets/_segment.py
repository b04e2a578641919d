"""The opaque segment that stands for a secret which only agents can read.

It travels through expressions as text and may become part of a longer text. It is sealed with the payload key ring:
nobody else can make one, so a step cannot print its way to a secret of a later step.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec

from ..codec import CodecError, PayloadCodec
from ._errors import SecretReferenceInvalid

_MARK = "wfsecret:"
_SEGMENT = re.compile(r"\{wfsecret:([A-Za-z0-9_-]+)\}")


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed in a segment: the secret's name and where agents read it."""

    name: str
    source: str

    @classmethod
    def open(cls, text: str, codec: PayloadCodec) -> Segment:
        """What a segment stands for. Raises SecretReferenceInvalid, also for one that was forged or changed."""
        match = _SEGMENT.fullmatch(text)
        try:
            raw = base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)) if match else b""
            metadata, data = msgspec.msgpack.decode(raw, type=tuple[dict[str, bytes], bytes])
            if "key" not in metadata:
                raise SecretReferenceInvalid("a segment that stands for a secret is not sealed")
            return msgspec.json.decode(codec.open(data, metadata), type=cls)
        except (CodecError, msgspec.MsgspecError, binascii.Error) as error:
            raise SecretReferenceInvalid(f"a segment that stands for a secret cannot be opened: {error}") from None


def make_segment(name: str, source: str, codec: PayloadCodec) -> str:
    """The text that stands for a secret. Raises SecretReferenceInvalid where nothing would seal it."""
    if not codec.encrypts:
        raise SecretReferenceInvalid(f"secret {name}: without a key ring no reference can be sealed")
    sealed = codec.seal(msgspec.json.encode(Segment(name, source)))
    raw = msgspec.msgpack.encode((sealed.metadata, sealed.data))
    return "{" + _MARK + base64.urlsafe_b64encode(raw).decode().rstrip("=") + "}"


def holds_segment(value: Any) -> bool:
    """Whether anything in JSON data stands for a secret, or once did."""
    return any(_MARK in text.lower() for text in _texts(value))


def segments_in(value: Any) -> list[str]:
    """Every segment in JSON data, once. Raises SecretReferenceInvalid for one that an expression has changed."""
    found: dict[str, None] = {}
    for text in _texts(value):
        whole = [match[0] for match in _SEGMENT.finditer(text)]
        if len(whole) != text.lower().count(_MARK):
            raise SecretReferenceInvalid(
                "a secret that the agent reads was changed by an expression before it was known: it may only stand "
                "alone or in a text"
            )
        found |= dict.fromkeys(whole)
    return list(found)


def replace_segments(value: Any, resolve: Callable[[str], str]) -> Any:
    """JSON data with every segment replaced, in keys too."""
    if isinstance(value, str):
        return _SEGMENT.sub(lambda match: resolve(match[0]), value) if _MARK in value else value
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {replace_segments(key, resolve): replace_segments(item, resolve) for key, item in items}
    if isinstance(value, list | tuple):
        return [replace_segments(item, resolve) for item in cast("list[Any]", value)]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in cast("dict[Any, Any]", value).items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in cast("list[Any]", value):
            yield from _texts(item)
