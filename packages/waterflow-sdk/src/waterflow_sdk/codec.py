"""Payload codec as pure bytes: compress above a threshold, then AES-256-GCM with a key ring.

Server and agent wrap it in thin Temporal adapters. ``cryptography`` is imported when a key is first used
(``pip install waterflow-sdk[encryption]``).
"""

from __future__ import annotations

import base64
import logging
import os
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

ENCODING = "binary/waterflow"
"""Value of a sealed payload's ``encoding`` metadata."""

COMPRESS_ABOVE = 2048
"""Payloads larger than this many bytes are compressed when that makes them smaller."""

_LOOK_AGAIN = 1.0
"""Seconds after which a key file is looked at again: a new key is in use that soon."""

_log = logging.getLogger("waterflow.keys")

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


class KeyFile:
    """The key ring of a file, read again when the file changes: keys are added, put in use and removed while all runs.

    What is wrong with a changed file is logged, and the ring stays as it was.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read the file; raises CodecError."""
        self._path = Path(path)
        self._stamp = self._stamped()
        self._ring = KeyRing.load(path)
        self._looked = time.monotonic()

    @property
    def ring(self) -> KeyRing:
        """The ring as the file has it, at most a second ago."""
        if time.monotonic() - self._looked >= _LOOK_AGAIN:
            self.look()
        return self._ring

    def look(self) -> KeyRing:
        """The ring as the file has it now."""
        self._looked = time.monotonic()
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._ring = KeyRing.load(self._path)
                _log.info("key file %s was read again: key %r seals from now on", self._path, self._ring.active)
            except CodecError as error:
                _log.error("%s; the keys that were there before stay in use", error)
        return self._ring

    def _stamped(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Sealed bytes and the metadata needed to open them."""

    data: bytes
    metadata: dict[str, bytes]


class PayloadCodec:
    """Seals and opens payload bytes. Without a key ring it only compresses."""

    def __init__(self, keys: KeyRing | KeyFile | None = None, *, compress_above: int = COMPRESS_ABOVE) -> None:
        self._keys = keys
        self._compress_above = compress_above
        self._ciphers: dict[bytes, Any] = {}

    @property
    def encrypts(self) -> bool:
        """Whether payloads are encrypted; secrets are refused where they are not."""
        return self._keys is not None

    def _ring(self) -> KeyRing | None:
        return self._keys.ring if isinstance(self._keys, KeyFile) else self._keys

    def seal(self, data: bytes) -> Sealed:
        """Compress and encrypt."""
        metadata = {"encoding": ENCODING.encode()}
        if len(data) > self._compress_above:
            smaller = zlib.compress(data, 1)
            if len(smaller) < len(data):
                data = smaller
                metadata["compression"] = b"zlib"
        if (ring := self._ring()) is not None:
            nonce = os.urandom(_NONCE)
            data = nonce + self._cipher(ring.keys[ring.active]).encrypt(nonce, data, None)
            metadata["key"] = ring.active.encode()
        return Sealed(data=data, metadata=metadata)

    def open(self, data: bytes, metadata: Mapping[str, bytes]) -> bytes:
        """Undo :meth:`seal`; raises :class:`UnknownKey` or :class:`CodecError`."""
        if "key" in metadata:
            cipher = self._cipher(self._key(metadata["key"].decode(errors="replace")))
            try:
                data = cipher.decrypt(data[:_NONCE], data[_NONCE:], None)
            except Exception as error:  # cryptography.exceptions.InvalidTag, imported lazily
                raise CodecError("payload does not open with its key: it was changed or cut") from error
        if metadata.get("compression") == b"zlib":
            data = zlib.decompress(data)
        return data

    def _key(self, key_id: str) -> bytes:
        ring = self._ring()
        if ring is not None and key_id not in ring.keys and isinstance(self._keys, KeyFile):
            ring = self._keys.look()  # another process may seal with it already
        key = ring.keys.get(key_id) if ring else None
        if key is None:
            raise UnknownKey(f"payload is sealed with key {key_id!r}, which is not in this key ring")
        return key

    def _cipher(self, key: bytes) -> Any:
        if key not in self._ciphers:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._ciphers[key] = AESGCM(key)
        return self._ciphers[key]
