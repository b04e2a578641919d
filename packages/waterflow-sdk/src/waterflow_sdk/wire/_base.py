"""The policy every wire struct shares, the wire version, and canonical JSON."""

from __future__ import annotations

import hashlib
import threading
from typing import Any, TypeVar

import msgspec

WIRE_VERSION = "1.0"
"""``major.minor`` of what server and agent say to each other. A server runs agents of the same major."""

T = TypeVar("T")


class Wire(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of all wire structs.

    Frozen, defaults omitted; each says ``frozen`` for type checkers and ``kw_only``, which msgspec does not inherit.
    Unknown fields are *ignored*, so that a newer minor version may add fields that an older reader does not know.
    """


class WireVersionError(Exception):
    """The other side speaks another major version of the wire."""

    code = "wire-version"

    def __init__(self, theirs: str, ours: str = WIRE_VERSION) -> None:
        super().__init__(
            f"the other side speaks wire version {theirs!r}, this side {ours!r}; "
            "install versions with the same major number on server and agent"
        )
        self.theirs = theirs
        self.ours = ours


def check_wire_version(theirs: str, ours: str = WIRE_VERSION) -> None:
    """Accept any minor of our major version; raise :class:`WireVersionError` for everything else."""
    if theirs.split(".", 1)[0] != ours.split(".", 1)[0]:
        raise WireVersionError(theirs, ours)


_canonical = msgspec.json.Encoder(order="sorted")
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_making = threading.Lock()


def canonical_json(value: Any) -> bytes:
    """Encode with sorted keys and no white space: equal values give equal bytes."""
    return _canonical.encode(value)


def digest(value: Any) -> str:
    """The SHA-256 of the canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def decode(data: bytes | str, type: type[T]) -> T:
    """Parse JSON at the border; raises ``msgspec.ValidationError`` with the path of what is wrong.

    Threads may do so at once. msgspec alone ends the process with SIGSEGV where two of them are the first to use a
    struct (seen with msgspec 0.22), so decoders are made one after the other.
    """
    decoder = _decoders.get(type)
    if decoder is None:
        with _making:
            decoder = _decoders.setdefault(type, msgspec.json.Decoder(type))
    return decoder.decode(data)
