"""TLS to Temporal and to the server: the files, whether they were renewed, and why a connection does not come about."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Generator
from pathlib import Path

import msgspec

from ._errors import SettingsError

_TIMEOUT = 5.0
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED, of the verify codes in OpenSSL's x509_vfy.h
_NAMED = {
    "temporal": "connect by a name that it has, or set temporal.server_name",
    "server": "use a name that it has in server.address",
}
_NAMES = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


FileMark = tuple[int, int]
"""Something that changes when a file is renewed."""


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What is set for one peer. ``section`` is that of ``agent.yaml``, ``peer`` what people call it,
    ``instead`` what to do to connect without TLS.

    ``ca`` None stands for the system's authorities; ``server_name`` is the name that the peer's certificate has to have
    where that is not the host of its address.
    """

    section: str
    peer: str
    instead: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    @property
    def any(self) -> bool:
        """Whether a file is set."""
        return bool(self.ca or self.cert or self.key)

    def context(self) -> ssl.SSLContext:
        """A context for clients, made of the files as they are now. Raises SettingsError that names the file."""
        if (self.cert is None) != (self.key is None):
            there, missing = ("cert", "key") if self.cert else ("key", "cert")
            raise SettingsError(f"{self.section}.{there} is set without {self.section}.{missing}; mTLS takes both")
        context = self._trusting(self.ca) if self.ca else ssl.create_default_context()
        if self.cert and self.key:
            self._read(self.cert, "cert")
            self._read(self.key, "key")
            self._show(context, self.cert, self.key)
        return context

    def marks(self) -> tuple[FileMark, ...]:
        """Something that changes when a file is renewed."""
        return tuple(mark_of(file) for file in (self.ca, self.cert, self.key) if file)

    def _read(self, file: Path, key: str) -> None:
        try:
            file.read_bytes()
        except OSError as error:
            raise SettingsError(f"{self.section}.{key}: {file} cannot be read: {error.strerror}") from error

    def _trusting(self, ca: Path) -> ssl.SSLContext:
        self._read(ca, "ca")
        try:
            return ssl.create_default_context(cafile=str(ca))
        except ssl.SSLError as error:
            raise SettingsError(f"{self.section}.ca: {ca} has no certificate in the form PEM") from error

    def _show(self, context: ssl.SSLContext, cert: Path, key: Path) -> None:
        try:
            context.load_cert_chain(cert, key, password=_no_password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                text = f"{self.section}.key: {key} is not the key of the certificate {cert}"
            else:
                text = f"{self.section}.cert, {self.section}.key: {cert} and {key} have to be a certificate and its key"
                text += " in the form PEM, the key without password"
            raise SettingsError(text) from error

    def explain(self, error: ssl.SSLError, address: str) -> str:
        """What is wrong, where, and what to do."""
        peer = f"{self.peer} at {address}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._distrusted(error, address)
        reason = (error.reason or str(error)).upper().replace("_", " ")
        if self.cert and "EXPIRED" in reason:
            return f"{peer} refuses this agent's certificate {self.cert}: it has expired; renew it, without a restart"
        if "ALERT" not in reason and "CERTIFICATE REQUIRED" not in reason:
            return f"{peer} does not answer in TLS ({reason.lower()}); check the port, or {self.instead}"
        if not self.cert:
            return f"{peer} asks for a client certificate: set {self.section}.cert and {self.section}.key"
        return (
            f"{peer} refuses this agent's certificate {self.cert} ({reason.lower()}): it has to be signed by an "
            "authority that is trusted there"
        )

    def _distrusted(self, error: ssl.SSLCertVerificationError, address: str) -> str:
        peer = f"{self.peer} at {address}"
        if error.verify_code == _EXPIRED:
            return f"the certificate of {peer} has expired; it has to be renewed there"
        if error.verify_code in _NAMES:
            return f"the certificate of {peer} is for another name than {self._name(address)}; {_NAMED[self.section]}"
        trusted = f"{self.section}.ca ({self.ca})" if self.ca else "an authority that this system trusts"
        return (
            f"the certificate of {peer} is not signed by {trusted}; set {self.section}.ca to the certificate of the "
            "authority that signed it"
        )

    def _name(self, address: str) -> str:
        return self.server_name or _host(address)


def trouble(files: TlsFiles, address: str) -> str | None:
    """Tries the handshake: why it fails; None where TLS is not the reason. Blocks for some seconds at most.

    The Temporal SDK does not say why it was refused: under TLS 1.3, the peer says so only after the handshake.
    """
    try:
        _shake_hands(files.context(), files, address)
    except SettingsError as error:
        return error.message
    except ssl.SSLError as error:
        return files.explain(error, address)
    except OSError:
        return None
    return None


def speaks_tls(address: str) -> bool:
    """Whether somebody there answers in TLS, whoever it is. Blocks for some seconds at most."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(OSError), _connected(context, address, _host(address)) as connection:
        return connection.version() is not None
    return False


def _shake_hands(context: ssl.SSLContext, files: TlsFiles, address: str) -> None:
    context.set_alpn_protocols(["h2"])
    with _connected(context, address, files.server_name or _host(address)) as connection:
        connection.settimeout(1.0)
        with contextlib.suppress(TimeoutError):  # no answer, as nothing was asked: the certificate was taken
            connection.recv(1)


@contextlib.contextmanager
def _connected(context: ssl.SSLContext, address: str, name: str) -> Generator[ssl.SSLSocket]:
    port = int(address.rpartition(":")[2])
    with (
        socket.create_connection((_host(address), port), _TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        yield connection


def _host(address: str) -> str:
    return (address.rpartition(":")[0] or address).strip("[]")


def _no_password() -> str:
    return ""  # without this, OpenSSL asks on the terminal


def mark_of(file: Path) -> FileMark:
    """The mark of a file; that of one that is not there is always the same."""
    try:
        found = os.stat(file)
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)
