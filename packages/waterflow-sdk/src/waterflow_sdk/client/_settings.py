"""Where the server is and how long to wait for it: by argument, else by environment, else by default."""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import msgspec

from ._errors import InvalidSettings
from ._tls import CA_VARIABLE, CERT_VARIABLE, KEY_VARIABLE, Tls

DEFAULT_SERVER = "http://127.0.0.1:8080"
SERVER_VARIABLE = "WATERFLOW_SERVER"
API_KEY_VARIABLE = "WATERFLOW_API_KEY"
DEFAULT_TIMEOUT = 30.0
DEFAULT_RETRIES = 4

StrPath = str | os.PathLike[str]

_REMEDY = "write it like http://waterflow.example.com:8080"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a client, checked.

    ``server`` is a base address without a slash at its end. ``timeout`` (seconds) bounds one request; ``retries`` is
    how many times a call that is safe to repeat is sent again.
    ``tls`` counts for an address with https://.
    """

    server: str
    api_key: str | None
    timeout: float
    retries: int
    tls: Tls = Tls()

    @property
    def host(self) -> str:
        """Name or address of the server's host."""
        return urlsplit(self.server).hostname or ""

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine, so that no proxy is asked."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def settings(
    server: str | None, api_key: str | None, timeout: float, retries: int, tls: tuple[StrPath | None, ...] = ()
) -> Settings:
    """Fill in what is not given; raises :class:`InvalidSettings`."""
    if timeout <= 0:
        raise InvalidSettings(f"timeout is {timeout}, but must be more than 0 seconds")
    if retries < 0:
        raise InvalidSettings(f"retries is {retries}, but must not be negative")
    return Settings(
        server=_address(server or os.environ.get(SERVER_VARIABLE) or DEFAULT_SERVER),
        api_key=_key(api_key or os.environ.get(API_KEY_VARIABLE) or None),
        timeout=timeout,
        retries=retries,
        tls=_tls(*tls),
    )


def _tls(ca: StrPath | None = None, cert: StrPath | None = None, key: StrPath | None = None) -> Tls:
    def path(given: StrPath | None, variable: str) -> str | None:
        return os.fspath(given) if given else os.environ.get(variable) or None

    return Tls(ca=path(ca, CA_VARIABLE), cert=path(cert, CERT_VARIABLE), key=path(key, KEY_VARIABLE))


def _address(text: str) -> str:
    parts = _split(text.strip())
    if parts.scheme not in {"http", "https"}:
        raise InvalidSettings(f"the server address {text!r} is neither http:// nor https://", remedy=_REMEDY)
    if not parts.hostname:
        raise InvalidSettings(f"the server address {text!r} names no host", remedy=_REMEDY)
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidSettings(
            "the server address has a user name, a query or a fragment, which are not sent to it",
            remedy=f"{_REMEDY}; an API key goes into --api-key or {API_KEY_VARIABLE}",
        )
    return parts.geturl().rstrip("/")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        _ = parts.port  # a port that is no number is only noticed when it is asked for
    except ValueError as error:
        raise InvalidSettings(f"the server address {text!r} cannot be read: {error}", remedy=_REMEDY) from None
    return parts


def _key(key: str | None) -> str | None:
    if key is not None and not (key.isascii() and key.isprintable()):
        raise InvalidSettings(
            "the API key has characters that no key has (a line break, or not ASCII)", remedy="copy the key again"
        )
    return key
