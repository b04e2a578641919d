"""One HTTP request and its answer. The only module of this package that loads aiohttp, when it is first used."""

from __future__ import annotations

import hashlib
import os
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from waterflow_sdk import InvalidInput, NodeError, NodeTimeout

from ._http_checks import plain_url
from ._writing import replacing

if TYPE_CHECKING:
    import aiohttp

MAX_BODY = 24 * 1024
"""Bytes of an answer that are kept as an output; an answer to a file has no limit."""

_CHUNK = 64 * 1024
_MAX_REDIRECTS = 10


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request, checked. ``timeout`` in seconds."""

    method: str
    url: str
    headers: dict[str, str]
    query: list[tuple[str, str]]
    data: bytes | None
    proxy: str | None
    timeout: float
    follow_redirects: bool
    tls: ssl.SSLContext | bool


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. ``retry_after`` is the server's own wish, in seconds; ``sha256`` is set for one saved to a file."""

    status: int
    reason: str
    url: str
    headers: dict[str, str]
    body: bytes
    charset: str
    size: int
    truncated: bool
    elapsed: float
    retry_after: float | None = None
    sha256: str | None = None


def tls_settings(ca_file: Path | None, insecure: bool) -> ssl.SSLContext | bool:
    """What aiohttp takes as ``ssl``: True is the system's trust. Raises :class:`InvalidInput` for a bad file."""
    if insecure:
        return False
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except FileNotFoundError:
        problem = "does not exist"
    except (ssl.SSLError, OSError) as error:
        problem = f"holds no certificates: {error}"
    raise InvalidInput(f"ca-file {str(ca_file)!r} {problem}", details={"input": "ca-file"})


async def exchange(request: Request, save_to: Path | None, keep: Any) -> Answer:
    """Send a request and read its answer; ``keep`` holds the statuses whose body goes to ``save_to``.

    Raises:
        NodeError: ``http-connection`` or ``http-tls``.
        NodeTimeout: No whole answer within the time-out.
    """
    import aiohttp

    what = f"{request.method} {plain_url(request.url)}"
    try:
        return await _send(request, save_to, keep)
    except TimeoutError:
        details = {"timeout": request.timeout}
        raise NodeTimeout(f"{what}: no answer within {request.timeout:g} seconds", details=details) from None
    except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as error:
        reason = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
        raise NodeError(f"{what}: TLS failed: {reason}; see ca-file and insecure", code="http-tls") from None
    except aiohttp.TooManyRedirects:
        raise NodeError(f"{what}: more than {_MAX_REDIRECTS} redirects", code="http-redirects") from None
    except aiohttp.InvalidURL as error:
        raise NodeError(f"{what}: a redirect gave an address that cannot be used", code="http-redirects") from error
    except aiohttp.ClientError as error:
        raise NodeError(f"{what}: {_reason(error)}", code="http-connection", retryable=True) from error


async def _send(request: Request, save_to: Path | None, keep: Any) -> Answer:
    import aiohttp

    started = time.monotonic()
    limit = aiohttp.ClientTimeout(total=request.timeout)
    async with (
        aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(ssl=request.tls)) as session,
        session.request(
            request.method,
            request.url,
            headers=request.headers,
            params=request.query or None,
            data=request.data,
            proxy=request.proxy,
            allow_redirects=request.follow_redirects,
            max_redirects=_MAX_REDIRECTS,
        ) as response,
    ):
        if save_to is not None and response.status in keep:
            body, size, digest = b"", *await _save(response, save_to)
        else:
            body, size, digest = *await _read(response), None
        return _answer(response, body[:MAX_BODY], size, digest, time.monotonic() - started)


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, int]:
    """Up to one byte more than is kept; what follows is not fetched."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body), len(body)


async def _save(response: aiohttp.ClientResponse, path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with replacing(path) as file:
        async for chunk in _chunks(response):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for chunk in response.content.iter_chunked(_CHUNK):
        yield chunk


def _answer(response: aiohttp.ClientResponse, body: bytes, size: int, digest: str | None, elapsed: float) -> Answer:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value  # RFC 9110, 5.3
    return Answer(
        status=response.status,
        reason=response.reason or "",
        url=plain_url(str(response.url)),
        headers=headers,
        body=body,
        charset=response.charset or "utf-8",
        size=size,
        truncated=digest is None and size > MAX_BODY,
        elapsed=round(elapsed, 3),
        retry_after=_retry_after(headers.get("retry-after", "")),
        sha256=digest,
    )


def _retry_after(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None  # the form with a date is not followed


def _reason(error: Exception) -> str:
    """Why there is no answer, without the class names of the library."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the host {error.host!r} has no address"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect to {error.host}:{error.port}: {_system(error.os_error)}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    return f"the connection failed: {error}"


def _system(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
