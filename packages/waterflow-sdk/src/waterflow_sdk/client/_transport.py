"""HTTP for the client: one session, requests with retries, answers parsed into wire structs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from ..wire import decode
from ._errors import InvalidRequest, InvalidSettings, NotFound, ServerUnavailable, TooManyRequests, WaterflowError
from ._problems import not_waterflow, to_error
from ._settings import Settings

if TYPE_CHECKING:
    import ssl

    from aiohttp import ClientResponse, ClientSession

T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
LONGEST_PAUSE = 5.0
REQUEST_ID = "X-Request-Id"
LARGEST_ANSWER = 256 * 1024 * 1024
Value = str | int | float | bool
Query = Mapping[str, Value | Sequence[Value] | None]
"""Parameters of an address. One with several values is repeated; one with None is left out."""


def pauses(first: float = 0.1, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Endless seconds to wait between tries: doubling up to ``longest``, each drawn between half and whole."""
    pause = first
    while True:
        yield pause * random.uniform(0.5, 1.0)
        pause = min(pause * 2, longest)


def segment(name: str, keep: str = "") -> str:
    """A name as part of a path; ``keep`` are further characters to leave as they are."""
    quoted = quote(name, safe=keep)
    if not name or any(part in {"", ".", ".."} for part in quoted.split("/")):
        raise InvalidRequest(f"{name!r} cannot be a name")
    return quoted


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer that was read to its end."""

    status: int
    body: bytes
    request_id: str


class Transport:
    """Requests to one server. Belongs to the event loop in which it was first used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._session: ClientSession | None = None
        self._closed = False

    async def call(
        self,
        method: str,
        path: str,
        type: type[T],
        *,
        query: Query | None = None,
        body: Any = None,
        missing: type[NotFound] = NotFound,
        accept: frozenset[int] = frozenset(),
        tries: int | None = None,
        safe: bool = True,
    ) -> T:
        """Send a request and parse its answer as ``type``.

        ``missing`` is the error for 404; ``accept`` are further statuses whose body is the answer; ``safe`` says that
        the request may be repeated (RFC 9110, 9.2.2): others are only when they cannot have reached the server.
        """
        answer = await self._tried(method, path, query, body, missing, accept, safe=safe, tries=tries)
        try:
            return decode(answer, type)
        except msgspec.MsgspecError as error:
            raise not_waterflow(f"answers {method} {path} with something else ({error})") from None

    async def text(self, path: str, *, missing: type[NotFound] = NotFound) -> str:
        """What is at the path, as text."""
        answer = await self._tried("GET", path, None, None, missing, frozenset(), safe=True, tries=None)
        try:
            return answer.decode()
        except UnicodeDecodeError as error:
            raise not_waterflow(f"answers GET {path} with something else ({error})") from None

    async def send(
        self, method: str, path: str, *, body: Any = None, missing: type[NotFound] = NotFound, safe: bool = False
    ) -> None:
        """Send a request whose answer has nothing of interest; repeated only when it cannot have reached the server."""
        await self._tried(method, path, None, body, missing, frozenset(), safe=safe, tries=None)

    async def _tried(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Any,
        missing: type[NotFound],
        accept: frozenset[int],
        *,
        safe: bool,
        tries: int | None,
    ) -> bytes:
        content = _encode(body)
        waits = pauses()
        left = self.settings.retries if tries is None else tries - 1
        while True:
            try:
                answer = await self._once(method, path, query, content)
                if 200 <= answer.status < 300 or answer.status in accept:
                    return answer.body
                raise to_error(
                    answer.status, answer.body, f"{method} {path}", missing=missing, request_id=answer.request_id
                )
            except (ServerUnavailable, TooManyRequests) as error:
                repeatable = safe or error.details.get("sent") is False
                if left <= 0 or not repeatable or "tls" in error.details:  # which does not mend itself in seconds
                    raise
            left -= 1
            await asyncio.sleep(next(waits))

    async def _once(self, method: str, path: str, query: Query | None, content: bytes | None) -> Answer:
        headers = {"Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        async with self.open(method, path, query, headers, content=content) as response:
            request_id = response.headers.get(REQUEST_ID, "")
            return Answer(status=response.status, body=await self._read(response), request_id=request_id)

    async def _read(self, response: ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise not_waterflow(f"sends an answer of more than {LARGEST_ANSWER} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: Mapping[str, str],
        *,
        content: bytes | None = None,
        idle_timeout: float | None = None,
    ) -> AsyncGenerator[ClientResponse]:
        """An answer whose body the caller reads. With ``idle_timeout`` (seconds without a byte) it may take for ever.

        Raises :class:`ServerUnavailable` for all that goes wrong on the way, while the body is read too.
        """
        import aiohttp
        from yarl import URL

        url = URL(self._url(path, query), encoded=True)
        timeout = aiohttp.ClientTimeout(
            total=None if idle_timeout else self.settings.timeout,
            connect=min(CONNECT_TIMEOUT, self.settings.timeout),
            sock_read=idle_timeout,
        )
        try:
            async with self._open_session().request(
                method, url, data=content, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                if 300 <= response.status < 400:
                    raise self._redirected(response)
                yield response
        except aiohttp.InvalidURL as error:
            raise InvalidSettings(f"the server address {self.settings.server!r} cannot be used: {error}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._failed(error) from error

    def _url(self, path: str, query: Query | None) -> str:
        pairs = [(name, _text(each)) for name, value in (query or {}).items() for each in _values(value)]
        return self.settings.server + path + (f"?{urlencode(pairs, quote_via=quote)}" if pairs else "")

    def _open_session(self) -> ClientSession:
        if self._closed:
            raise InvalidSettings("the client is closed", remedy="make a new one, or stay inside its `with` block")
        if self._session is None:
            import aiohttp

            headers = {"User-Agent": f"waterflow-sdk/{version('waterflow-sdk')}"}
            if self.settings.api_key:
                headers["Authorization"] = f"Bearer {self.settings.api_key}"
            self._session = aiohttp.ClientSession(
                headers=headers,
                # Followed logs hold a connection each; no limit, so that they never keep a request waiting.
                connector=aiohttp.TCPConnector(limit=0, ssl=self._ssl()),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=not self.settings.loopback,
                read_bufsize=1024 * 1024,
            )
        return self._session

    def _ssl(self) -> ssl.SSLContext | bool:
        return self.settings.tls.context() if self.settings.server.startswith("https:") else True

    def _redirected(self, response: ClientResponse) -> WaterflowError:
        # Not followed: the API key and the body would go to an address that the user never named.
        place = response.headers.get("Location", "elsewhere")
        return not_waterflow(f"redirects to {place}")

    def _failed(self, error: BaseException) -> WaterflowError:
        import aiohttp

        if isinstance(error, aiohttp.ClientResponseError) and not isinstance(error, aiohttp.ClientHttpProxyError):
            return not_waterflow("does not speak HTTP")
        sent = not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
        where = f"no answer from the server at {self.settings.server}"
        if tls := self.settings.tls.explain(error, self.settings.host):
            return ServerUnavailable(f"{where}: {tls}", details={"sent": True, "tls": True}, remedy="")
        return ServerUnavailable(f"{where}: {_reason(error)}", details={"sent": sent})

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None


def _encode(body: Any) -> bytes | None:
    if body is None:
        return None
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"the request cannot be written as JSON: {error}") from None


def _values(value: Value | Sequence[Value] | None) -> Sequence[Value]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str | int | float) else value


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "the connection was refused"
    if isinstance(error, TimeoutError):
        return "it took too long"
    text = str(getattr(error, "os_error", None) or error)
    return text or type(error).__name__
