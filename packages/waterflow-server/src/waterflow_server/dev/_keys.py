"""The encryption keys of an embedded stack: made once, kept beside the data, readable by their owner only."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

import msgspec

from waterflow_sdk.codec import CodecError, KeyRing

from ._errors import KeyRingInvalid

_KEY_BYTES = 32  # AES-256


def ensure_key_ring(path: Path) -> KeyRing:
    """Loads the key ring at `path`; a missing one is made first, with one fresh key and mode 0600.

    Processes that do this at the same time get the same ring. Raises KeyRingInvalid when the file is malformed, cannot
    be read or written, or is open to other users.
    """
    try:
        if not path.exists():
            _create(path)
        _require_private(path)
        return KeyRing.load(path)
    except CodecError as error:
        raise KeyRingInvalid(f"{error}. {_remedy(path)}", {"path": str(path)}) from error
    except OSError as error:
        raise KeyRingInvalid(f"key file {path}: {error.strerror}.", {"path": str(path)}) from error


def _remedy(path: Path) -> str:
    return (
        "Restore it from a backup. Without its keys nothing that is stored can be read; "
        f"to begin anew remove {path.parent}."
    )


def _create(path: Path) -> None:
    key_id = secrets.token_hex(4)
    key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600, so the key is at no moment readable by others.
    handle, name = tempfile.mkstemp(prefix=".keys-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode({"active": key_id, "keys": {key_id: key}}))
        # link, not rename: whoever is second must not replace a ring that may be in use already.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _require_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyRingInvalid(
            f"The key file {path} can be read or written by other users (mode {mode:04o}). Run: chmod 600 {path}",
            {"path": str(path)},
        )
