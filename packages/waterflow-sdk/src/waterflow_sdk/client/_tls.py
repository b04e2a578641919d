"""TLS to the server: an authority of one's own, a certificate of one's own, and what is wrong when it fails."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ._errors import InvalidSettings

CA_VARIABLE = "WATERFLOW_SERVER_CA"
CERT_VARIABLE = "WATERFLOW_SERVER_CERT"
KEY_VARIABLE = "WATERFLOW_SERVER_KEY"

# OpenSSL's X509_V_ERR_* codes (x509_vfy.h); the ssl module has no names for them.
_EXPIRED = 10
_OTHER_NAME = frozenset({62, 64})


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of PEM files; None for the system's authorities and for no certificate of one's own."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    def context(self) -> ssl.SSLContext:
        """How to connect. Raises InvalidSettings naming the file that cannot be used."""
        if bool(self.cert) != bool(self.key):
            raise InvalidSettings(f"{CERT_VARIABLE} and {KEY_VARIABLE} belong together: mTLS takes both")
        context = ssl.create_default_context()
        if self.ca:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            _use(f"{CA_VARIABLE}: {self.ca}", context.load_verify_locations, self.ca)
        if self.cert and self.key:
            both = f"{CERT_VARIABLE}, {KEY_VARIABLE}: {self.cert} and {self.key}"
            _use(both, context.load_cert_chain, self.cert, self.key, _no_password)
        return context

    def explain(self, error: BaseException, host: str) -> str | None:
        """Why no connection came about, and what to do; None where TLS is not the reason."""
        # Not aiohttp's own kinds of it, which have no reason: they stand before what caused them.
        found = next((each for each in _chain(error) if isinstance(each, ssl.SSLError) and _is_pythons(each)), None)
        if isinstance(found, ssl.SSLCertVerificationError):
            return self._distrusted(found, host)
        if found is None:
            return None
        reason = (found.reason or str(found)).lower().replace("_", " ")
        if "certificate required" in reason:
            return f"it asks for a client certificate: set {CERT_VARIABLE} and {KEY_VARIABLE}"
        if "alert" in reason and self.cert:
            return f"it refuses the certificate {self.cert} ({reason})"
        return f"it does not answer in TLS ({reason}): check the port, or write http://"

    def _distrusted(self, error: ssl.SSLCertVerificationError, host: str) -> str:
        if error.verify_code == _EXPIRED:
            return "its certificate has expired; it has to be renewed there"
        if error.verify_code in _OTHER_NAME:
            return f"its certificate is for another name than {host}: use an address that it has"
        trusted = self.ca or "an authority that this system trusts"
        return (
            f"its certificate is not signed by {trusted}: set {CA_VARIABLE} to the certificate of the authority that "
            "signed it"
        )


def _is_pythons(error: ssl.SSLError) -> bool:
    return type(error).__module__ == ssl.SSLError.__module__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _use(what: str, load: Callable[..., Any], *files: Any) -> None:
    try:
        load(*files)
    except ssl.SSLError as error:
        reason = error.reason.lower().replace("_", " ") if error.reason else "not in the form PEM"
        raise InvalidSettings(f"{what} cannot be used: {reason}") from None
    except OSError as error:
        raise InvalidSettings(f"{what} cannot be read: {error.strerror}") from None


def _no_password() -> str:
    return ""  # without this, OpenSSL asks on the terminal
