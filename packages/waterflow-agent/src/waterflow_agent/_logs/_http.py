"""One kept-alive HTTP connection to the server's log ingest, on the standard library."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from waterflow_sdk.wire import LogAck

from .._api_key import ApiKey
from .._errors import SettingsError
from .._tls import FileMark, TlsFiles

_TIMEOUT = 15.0
_MAX_ANSWER = 64 * 1024
SERVER_TLS = TlsFiles(section="server", peer="the server", instead="write http:// in server.address")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server said. ``offset`` is the length of the stream it now holds, where it said one."""

    status: int
    offset: int | None = None
    detail: str = ""
    retry_after: float | None = None


class _Mismatch(msgspec.Struct, frozen=True):
    """The part of a problem document (RFC 9457) that a 409 is answered with."""

    expected: int | None = None
    detail: str = ""


class LogConnection:
    """``PUT /v1/logs/{stream}?offset=&agent=``. Raises OSError or HTTPException when the server is not there."""

    def __init__(self, address: str, key: ApiKey, agent: str, tls: TlsFiles = SERVER_TLS) -> None:
        self._https, self._host, self._base = parse_address(address)
        self._agent = agent
        self._key = key
        self._key_mark: FileMark | None = None
        self._tls = tls
        self._headers: dict[str, str] = {}
        self._connection: http.client.HTTPConnection | None = None

    @property
    def key_setting(self) -> str:
        """Where the key comes from."""
        return self._key.setting

    def key_renewed(self) -> bool:
        """Whether the file of the key has changed since the last request."""
        return self._key.mark() != self._key_mark

    def put(self, stream: str, offset: int, data: bytes) -> Answer:
        """Sends whole lines that start at an offset."""
        query = urlencode({"offset": offset, "agent": self._agent})
        path = f"{self._base}/v1/logs/{quote(stream, safe='/')}?{query}"
        if not self._headers or self.key_renewed():
            self._read_key()
        connection = self._connection = self._connection or self._connect()
        try:
            connection.request("PUT", path, body=data, headers=self._headers)
            response = connection.getresponse()
            body = response.read(_MAX_ANSWER)
            if response.will_close or not response.isclosed():
                self.close()
            return _answer(response.status, response.headers.get("Retry-After"), body)
        except ssl.SSLError as error:
            self.close()
            raise OSError(self._tls.explain(error, self._host)) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _read_key(self) -> None:
        mark = self._key.mark()
        try:
            key = self._key.value()
        except SettingsError as error:  # while the file is renewed, it may hold no key
            raise OSError(error.message) from error
        authorization = {"Authorization": f"Bearer {key}"} if key else {}
        self._headers = {"Content-Type": "application/x-ndjson", **authorization}
        self._key_mark = mark

    def _connect(self) -> http.client.HTTPConnection:
        if self._https:
            try:
                return http.client.HTTPSConnection(self._host, timeout=_TIMEOUT, context=self._tls.context())
            except SettingsError as error:  # while files are renewed, they may not fit together
                raise OSError(error.message) from error
        return http.client.HTTPConnection(self._host, timeout=_TIMEOUT)


def parse_address(address: str) -> tuple[bool, str, str]:
    """Whether it is HTTPS, ``host[:port]``, and base path; the scheme may be left out. Raises SettingsError."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise _bad_address(address) from None
    if not valid or parts.username is not None or parts.query or parts.fragment:
        raise _bad_address(address)
    return parts.scheme == "https", parts.netloc, parts.path.rstrip("/")


def _bad_address(address: str) -> SettingsError:
    text = f"server address {address!r} is not of the form [http[s]://]host[:port]"
    return SettingsError(text, {"server_address": address})


def _answer(status: int, retry_after: str | None, body: bytes) -> Answer:
    wait = float(retry_after) if retry_after and retry_after.isdecimal() else None
    try:
        if 200 <= status < 300:
            return Answer(status=status, offset=msgspec.json.decode(body, type=LogAck).offset)
        problem = msgspec.json.decode(body, type=_Mismatch)
    except msgspec.DecodeError:
        # Something between us and the server answered: it is treated as a server that is not well.
        return Answer(status=502 if status < 300 else status, detail="the answer is not from a Waterflow server")
    return Answer(status=status, offset=problem.expected, detail=problem.detail, retry_after=wait)
