"""Payload codec as pure bytes: compress above a threshold, then AES-256-GCM with a key ring.

Server and agent wrap it in thin Temporal adapters. ``cryptography`` is imported when a key is first used
(``pip install waterflow-sdk[encryption]``).
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

ENCODING = "binary/waterflow"
"""Value of a sealed payload's ``encoding`` metadata."""

COMPRESS_ABOVE = 2048
"""Payloads larger than this many bytes are compressed when that makes them smaller."""

_NONCE = 12  # NIST SP 800-38D recommends 96-bit nonces for GCM


class CodecError(Exception):
    """A payload cannot be sealed or opened. ``code`` is stable."""

    code = "payload"


class UnknownKey(CodecError):
    """The payload was sealed with a key that the ring does not have."""

    code = "payload-key"


class KeyRing(msgspec.Struct, frozen=True, kw_only=True):
    """Keys by id (32 bytes each) and which one seals. Older keys stay in the ring to open what they sealed."""

    active: str
    keys: Mapping[str, bytes]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> KeyRing:
        """Read a key file: ``{"active": "<id>", "keys": {"<id>": "<base64 of 32 bytes>"}}``; raises CodecError."""
        try:
            raw = msgspec.json.decode(Path(path).read_bytes(), type=_KeyFile)
            keys = {name: base64.b64decode(text, validate=True) for name, text in raw.keys.items()}
        except OSError as error:
            raise CodecError(f"key file {os.fspath(path)}: {error.strerror}") from error
        except (msgspec.MsgspecError, ValueError) as error:
            raise CodecError(f"key file {os.fspath(path)}: {error}") from error
        bad = sorted(name for name, key in keys.items() if len(key) != 32)
        if bad:
            raise CodecError(f"key file {os.fspath(path)}: key {bad[0]!r} is not 32 bytes long")
        if raw.active not in keys:
            raise CodecError(f"key file {os.fspath(path)}: the active key {raw.active!r} is not among its keys")
        return cls(active=raw.active, keys=keys)


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    active: str
    keys: dict[str, str]


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Sealed bytes and the metadata needed to open them."""

    data: bytes
    metadata: dict[str, bytes]


class PayloadCodec:
    """Seals and opens payload bytes. Without a key ring it only compresses."""

    def __init__(self, ring: KeyRing | None = None, *, compress_above: int = COMPRESS_ABOVE) -> None:
        self._ring = ring
        self._compress_above = compress_above
        self._ciphers: dict[str, Any] = {}

    @property
    def encrypts(self) -> bool:
        """Whether payloads are encrypted; secrets are refused where they are not."""
        return self._ring is not None

    def seal(self, data: bytes) -> Sealed:
        """Compress and encrypt."""
        metadata = {"encoding": ENCODING.encode()}
        if len(data) > self._compress_above:
            smaller = zlib.compress(data, 1)
            if len(smaller) < len(data):
                data = smaller
                metadata["compression"] = b"zlib"
        if self._ring is not None:
            nonce = os.urandom(_NONCE)
            data = nonce + self._cipher(self._ring.active).encrypt(nonce, data, None)
            metadata["key"] = self._ring.active.encode()
        return Sealed(data=data, metadata=metadata)

    def open(self, data: bytes, metadata: Mapping[str, bytes]) -> bytes:
        """Undo :meth:`seal`; raises :class:`UnknownKey` or :class:`CodecError`."""
        if "key" in metadata:
            cipher = self._cipher(metadata["key"].decode())
            try:
                data = cipher.decrypt(data[:_NONCE], data[_NONCE:], None)
            except Exception as error:  # cryptography.exceptions.InvalidTag, imported lazily
                raise CodecError("payload does not open with its key: it was changed or cut") from error
        if metadata.get("compression") == b"zlib":
            data = zlib.decompress(data)
        return data

    def _cipher(self, key_id: str) -> Any:
        if key_id not in self._ciphers:
            key = self._ring.keys.get(key_id) if self._ring else None
            if key is None:
                raise UnknownKey(f"payload is sealed with key {key_id!r}, which is not in this key ring")
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._ciphers[key_id] = AESGCM(key)
        return self._ciphers[key_id]
