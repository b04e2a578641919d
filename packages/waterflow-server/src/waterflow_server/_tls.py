"""TLS of the API: the certificate that is shown, the authority of clients, and renewals while the server runs."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from pathlib import Path
from typing import Any

import msgspec

_LOOK = 10.0  # seconds between two looks at the files

_log = logging.getLogger("waterflow.server")


class TlsError(Exception):
    """The files cannot be used; the text says which and why."""


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PEM files. With ``client_ca``, only clients with a certificate of that authority get in (mTLS)."""

    cert: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None

    @property
    def on(self) -> bool:
        """Whether the API speaks TLS."""
        return self.cert is not None

    def check(self) -> None:
        """Raises TlsError for files that cannot be used."""
        if (self.cert is None) != (self.key is None) or (self.client_ca and self.cert is None):
            raise TlsError("tls.cert and tls.key belong together, and tls.client_ca needs them")
        if self.cert and self.key:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            _use(f"tls.cert and tls.key: {self.cert} and {self.key}", context.load_cert_chain, self.cert, self.key)
            if self.client_ca:
                _use(f"tls.client_ca: {self.client_ca}", context.load_verify_locations, self.client_ca)

    def options(self) -> dict[str, Any]:
        """For uvicorn's configuration."""
        if not self.on:
            return {}
        wanted = ssl.CERT_REQUIRED if self.client_ca else ssl.CERT_NONE
        return {
            "ssl_certfile": self.cert,
            "ssl_keyfile": self.key,
            "ssl_ca_certs": self.client_ca,
            "ssl_cert_reqs": wanted,
        }

    def marks(self) -> tuple[tuple[int, int], ...]:
        """Something that changes when the certificate is renewed."""
        return tuple(_mark(file) for file in (self.cert, self.key) if file)


async def keep_renewed(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Shows a renewed certificate to whoever connects from then on; connections that are open stay."""
    used = files.marks()
    while files.cert:
        await asyncio.sleep(_LOOK)
        found = files.marks()
        if found == used:
            continue
        try:
            files.check()
            context.load_cert_chain(files.cert, files.key)
        except (TlsError, OSError) as error:  # while files are renewed, they may not fit together
            _log.warning("the renewed certificate is not used: %s", error)
        else:
            used = found
            _log.info("the renewed certificate is in use")


def _use(what: str, load: Any, *files: Path) -> None:
    try:
        load(*files)
    except ssl.SSLError as error:
        raise TlsError(f"{what} cannot be used: {(error.reason or 'not in the form PEM').lower()}") from error
    except OSError as error:
        raise TlsError(f"{what} cannot be read: {error.strerror}") from error


def _mark(file: Path) -> tuple[int, int]:
    try:
        found = os.stat(file)
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)
