"""Signatures of S3 requests: AWS Signature Version 4.

Source: "Create a signed AWS API request" in the AWS Identity and Access Management User Guide, and its test vectors.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs. ``token`` belongs to temporary credentials. Never shown by ``repr``."""

    key_id: str
    secret: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials(key_id={self.key_id!r})"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed: ``path`` is percent-encoded already, ``query`` is not; ``headers`` by lower-case names."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""


def signed_headers(
    request: Request, credentials: Credentials, region: str, service: str = "s3", at: datetime | None = None
) -> dict[str, str]:
    """The headers to send: those of the request, and time, hash of the body, token and signature."""
    time = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    headers = {**request.headers, "x-amz-date": time}
    if service == "s3":
        headers["x-amz-content-sha256"] = _hash(request.body)
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    scope = f"{time[:8]}/{region}/{service}/aws4_request"
    names = ";".join(sorted(headers))
    text = "\n".join((_ALGORITHM, time, scope, _hash(_canonical(request, headers, names).encode())))
    signature = hmac.new(_key(credentials.secret, scope), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def encoded_query(query: Mapping[str, str]) -> str:
    """The query as it is signed and has to be sent: sorted, with everything encoded that is not unreserved."""
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items()))


def _canonical(request: Request, headers: Mapping[str, str], names: str) -> str:
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    return "\n".join((request.method, request.path, encoded_query(request.query), lines, names, _hash(request.body)))


def _key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
