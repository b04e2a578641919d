"""The few S3 requests that the log store needs, over kept-alive connections; path-style addresses, for any server."""

from __future__ import annotations

import http.client
import xml.etree.ElementTree as ElementTree
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, urlsplit

import msgspec

from ._sigv4 import Credentials, Request, encoded_query, signed_headers
from ._store import StoreUnavailable

_TIMEOUT = 20.0
_MAX_LISTING = 16 * 1024 * 1024


class BucketAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where objects are: ``<endpoint>/<bucket>/<prefix><key>``. ``prefix`` is empty or ends with a slash."""

    endpoint: str
    bucket: str
    prefix: str = ""
    region: str = "us-east-1"

    def __str__(self) -> str:
        return f"{self.endpoint}/{self.bucket}/{self.prefix}"


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a listing; ``key`` is without the prefix."""

    key: str
    size: int
    modified: datetime


class Bucket:
    """A part of a bucket. Its methods block and may be called from any thread; all raise StoreUnavailable."""

    def __init__(self, address: BucketAddress, credentials: Credentials) -> None:
        self._address = address
        self._credentials = credentials
        parts = urlsplit(address.endpoint)
        self._https, self._host, self._base = parts.scheme == "https", parts.netloc, parts.path.rstrip("/")
        self._idle: deque[http.client.HTTPConnection] = deque()

    def close(self) -> None:
        """Close the connections."""
        while connection := self._kept():
            connection.close()

    def put_new(self, key: str, data: bytes) -> bool:
        """Make an object; False where there is one by that name: of several writers one makes it."""
        status, _, body = self._ask("PUT", key, data=data, headers={"if-none-match": "*"})
        if status in {409, 412}:  # 409: another one is just being made
            return False
        self._check(status, body, f"PUT {key}", 200)
        return True

    def get(self, key: str) -> bytes | None:
        """What an object holds; None where there is none."""
        status, _, body = self._ask("GET", key)
        if status == 404:
            return None
        self._check(status, body, f"GET {key}", 200)
        return body

    def size(self, key: str) -> int | None:
        """How long an object is; None where there is none."""
        status, length, body = self._ask("HEAD", key)
        if status == 404:
            return None
        self._check(status, body, f"HEAD {key}", 200)
        return length

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        status, _, body = self._ask("DELETE", key)
        self._check(status, body, f"DELETE {key}", 200, 204, 404)

    def list(self, start: str = "", after: str = "") -> Iterator[Object]:
        """The objects whose keys begin with ``start``, beyond the key ``after``, in order."""
        prefix = self._address.prefix
        query = {"list-type": "2", "prefix": prefix + start}
        if after:
            query["start-after"] = prefix + after
        while True:
            status, _, body = self._ask("GET", None, query=query)
            self._check(status, body, "list", 200)
            tree = ElementTree.fromstring(body[:_MAX_LISTING])
            space = tree.tag.partition("}")[0] + "}" if tree.tag.startswith("{") else ""
            for each in tree.iter(f"{space}Contents"):
                yield _object(each, space, len(prefix))
            token = tree.findtext(f"{space}NextContinuationToken")
            if tree.findtext(f"{space}IsTruncated") != "true" or not token:
                return
            query = {"list-type": "2", "prefix": prefix + start, "continuation-token": token}

    def _ask(
        self,
        method: str,
        key: str | None,
        *,
        data: bytes = b"",
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> tuple[int, int, bytes]:
        """Status, length and body. Kept connections may have been closed by the server: a new one decides."""
        address = self._address
        path = f"{self._base}/{quote(address.bucket)}"
        path += f"/{quote(address.prefix + key, safe='/~')}" if key is not None else "/"
        request = Request(
            method=method, path=path, query=query or {}, headers={"host": self._host, **(headers or {})}, body=data
        )
        while True:
            kept = self._kept()
            connection = kept or self._connect()
            try:
                return self._send(request, connection)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if kept is None:
                    raise self._unavailable(f"{method}: {error or type(error).__name__}") from error

    def _send(self, request: Request, connection: http.client.HTTPConnection) -> tuple[int, int, bytes]:
        headers = signed_headers(request, self._credentials, self._address.region)
        query = encoded_query(request.query)
        connection.request(
            request.method,
            f"{request.path}?{query}" if query else request.path,
            body=request.body if request.method == "PUT" else None,
            headers=headers,
        )
        response = connection.getresponse()
        body = response.read()
        if response.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return response.status, int(response.headers.get("Content-Length") or 0), body

    def _kept(self) -> http.client.HTTPConnection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        return kind(self._host, timeout=_TIMEOUT)

    def _check(self, status: int, body: bytes, what: str, *good: int) -> None:
        if status not in good:
            raise self._unavailable(f"{what} is answered with {status} {_reason(body)}".rstrip())

    def _unavailable(self, why: str) -> StoreUnavailable:
        return StoreUnavailable(f"the log store {self._address} cannot be used: {why}", {"store": str(self._address)})


def _object(node: ElementTree.Element, space: str, prefix: int) -> Object:
    def text(name: str) -> str:
        return node.findtext(f"{space}{name}") or ""

    return Object(
        key=text("Key")[prefix:], size=int(text("Size") or 0), modified=datetime.fromisoformat(text("LastModified"))
    )


def _reason(body: bytes) -> str:
    """Code and message of an error document of S3."""
    try:
        tree = ElementTree.fromstring(body[:65536])
    except ElementTree.ParseError:
        return ""
    return ": ".join(text for name in ("Code", "Message") if (text := tree.findtext(name)))
