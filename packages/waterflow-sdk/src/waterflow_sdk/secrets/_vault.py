"""Vault's key/value engine, version 2, by its HTTP API.

Source: Vault's "KV secrets engine - version 2 (API)", "AppRole auth method (API)" and "HTTP API"; OpenBao has the same.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from ._errors import SecretMissing, SecretUnavailable
from ._reference import SecretReference

if TYPE_CHECKING:
    import aiohttp

_TIMEOUT = 10.0
_FRESH = 30.0
"""Seconds that an answer is used again: the steps of a job do not ask for the same secret one after the other."""

_MAX_ANSWER = 1024 * 1024


class VaultSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Vault is (``https://vault:8200``) and how to get in: with ``token``, with the token in ``token_file`` (read
    anew each time, as Vault's agent renews it), or as an AppRole with ``role_id`` and the secret id in
    ``secret_id_file``. ``namespace`` is one of Vault's; ``ca`` a PEM file, None = the system's certificates.
    """

    address: str
    token: str | None = None
    token_file: Path | None = None
    role_id: str | None = None
    secret_id_file: Path | None = None
    namespace: str | None = None
    ca: Path | None = None


class _Answer(msgspec.Struct):
    class Data(msgspec.Struct):
        data: dict[str, Any] | None = None

    data: Data


class _Login(msgspec.Struct):
    class Auth(msgspec.Struct):
        client_token: str

    auth: Auth


class VaultReader:
    """Reads secrets from one Vault."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}
        self._login = asyncio.Lock()
        self._login_token: str | None = None

    async def read(self, reference: SecretReference) -> str:
        """The field of a secret; what is not text is given as JSON. Raises SecretMissing and SecretUnavailable."""
        fields = await self._fields(reference.where)
        if fields is None:
            raise SecretMissing(f"{reference}: Vault has no such secret")
        value = fields.get(reference.field)
        if value is None:
            raise SecretMissing(f"{reference}: the secret in Vault has no field {reference.field!r}")
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()

    async def _fields(self, where: str) -> dict[str, Any] | None:
        known = self._known.get(where)
        if known and time.monotonic() - known[0] < _FRESH:
            return known[1]
        mount, _, path = where.partition("/")
        status, body = await self._authorized(f"{quote(mount, safe='')}/data/{quote(path, safe='/')}")
        if status == 404:
            return None
        if status != 200:
            raise self._refused(f"vault:{where}", status, body)
        fields = _decoded(body, _Answer).data.data
        if fields is not None:
            self._known[where] = (time.monotonic(), fields)
        return fields

    async def _authorized(self, path: str) -> tuple[int, bytes]:
        token = await self._token()
        status, body = await self._request("GET", path, token=token)
        given = self._settings.token or self._settings.token_file
        if status == 403 and not given and not await self._is_valid(token):
            if self._login_token == token:  # nobody else has replaced it by now
                self._login_token = None
            status, body = await self._request("GET", path, token=await self._token())
        return status, body

    async def _is_valid(self, token: str) -> bool:
        """Asked of Vault: before 1.17 it refuses a token that has expired as it does one that may not read a secret.
        Only for the former is it worth to log in again: the uses of a secret id may be counted.
        """
        status, _ = await self._request("GET", "auth/token/lookup-self", token=token)
        return status != 403

    async def _token(self) -> str:
        settings = self._settings
        if settings.token:
            return settings.token
        if settings.token_file:
            return _read(settings.token_file, "the token of Vault")
        if not settings.role_id or not settings.secret_id_file:
            raise SecretUnavailable(
                "Vault cannot be asked without a token: set vault.token_file, or vault.role_id and vault.secret_id_file"
            )
        async with self._login:  # secrets that are read at once share a login
            if self._login_token is None:
                self._login_token = await self._log_in(settings.role_id, settings.secret_id_file)
            return self._login_token

    async def _log_in(self, role_id: str, secret_id_file: Path) -> str:
        secret_id = _read(secret_id_file, "the secret id of the AppRole")
        body = msgspec.json.encode({"role_id": role_id, "secret_id": secret_id})
        status, answer = await self._request("POST", "auth/approle/login", body=body)
        if status in (400, 403):
            raise SecretUnavailable(f"Vault at {self._settings.address} refuses the AppRole (HTTP {status})")
        if status != 200:
            raise self._refused("login of the AppRole", status, answer)
        return _decoded(answer, _Login).auth.client_token

    async def _request(
        self, method: str, path: str, *, token: str | None = None, body: bytes | None = None
    ) -> tuple[int, bytes]:
        import aiohttp
        from yarl import URL

        headers = {"X-Vault-Request": "true"}
        if token:
            headers["X-Vault-Token"] = token
        if self._settings.namespace:
            headers["X-Vault-Namespace"] = self._settings.namespace
        url = URL(f"{self._settings.address.rstrip('/')}/v1/{path}", encoded=True)
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT)) as session,
                # A redirect would carry the token to wherever it points.
                session.request(
                    method, url, headers=headers, data=body, allow_redirects=False, ssl=self._tls()
                ) as answer,
            ):
                status, content = answer.status, await _bounded(answer)
        except TimeoutError:
            raise self._unreachable(f"no answer within {_TIMEOUT:g} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(str(error) or type(error).__name__) from None
        if status == 400 and b"HTTP request to an HTTPS server" in content:
            raise self._unreachable("it wants TLS, so its address begins with https://")
        return status, content

    def _tls(self) -> Any:
        if self._settings.ca is None:
            return True
        import ssl

        try:
            return ssl.create_default_context(cafile=self._settings.ca)
        except OSError as error:
            raise SecretUnavailable(
                f"the certificates for Vault cannot be read from {self._settings.ca}: {error.strerror}"
            ) from None

    def _unreachable(self, reason: str) -> SecretUnavailable:
        return SecretUnavailable(f"Vault at {self._settings.address} cannot be asked: {reason}")

    def _refused(self, what: str, status: int, body: bytes) -> SecretUnavailable:
        why = {403: "it does not let us read that", 503: "it is sealed or in maintenance"}.get(status, "unexpected")
        if status == 403 and b"invalid token" in body:
            why = "the token has expired, was revoked, or is not one of this Vault"
        return SecretUnavailable(f"{what}: Vault at {self._settings.address} answers HTTP {status}: {why}")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = await answer.content.read(_MAX_ANSWER)
    while not answer.content.at_eof() and len(body) < _MAX_ANSWER:
        body += await answer.content.read(_MAX_ANSWER - len(body))
    return body


def _decoded(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        # What it said may be secret, so the answer is not shown.
        raise SecretUnavailable("Vault's answer is not that of a key/value engine of version 2") from None


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SecretUnavailable(f"{what} cannot be read from {path}: {reason}") from None
