"""A site whose server speaks TLS with a certificate of an authority of its own, and asks everybody for a key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.site import Agent, Site
from tls._authority import Authority

from waterflow_sdk import AsyncClient
from waterflow_sdk.codec import KeyFile
from waterflow_sdk.wire import KeyScope
from waterflow_server._temporal import connect
from waterflow_server.auth import KeyStore
from waterflow_server.dev import EmbeddedTemporal
from waterflow_server.settings import TemporalConnection


class SecureSite(Site):
    """``keys`` are all that were ever made, by what they are for: none of them may be found anywhere."""

    def __init__(
        self, root: Path, temporal: EmbeddedTemporal, port: int, server_environ: Mapping[str, str] | None = None
    ) -> None:
        authority = Authority(root / "authority")
        pair = authority.issue("server")
        self.ca = authority.ca
        self.keys = {"admin": secrets.token_hex(32)}
        own = {
            "WATERFLOW_TLS_CERT": str(pair.cert),
            "WATERFLOW_TLS_KEY": str(pair.key),
            "WATERFLOW_AUTH_ENABLED": "true",
            "WATERFLOW_ADMIN_KEY": self.keys["admin"],
        }
        super().__init__(root, temporal, port, own | dict(server_environ or {}))
        self.client = self.client_of(self.keys["admin"])

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"https://127.0.0.1:{self.port}"

    def client_of(self, key: str | None) -> AsyncClient:
        """Somebody with a key, or without; to be closed by whoever asks for it."""
        return AsyncClient(self.url, key, ca=self.ca)

    async def make_key(self, name: str, scope: KeyScope, *, agent: str | None = None) -> str:
        """A key of that scope."""
        made = await self.client.keys.create(name, [scope], agent=agent)
        self.keys[f"{name} {made.info.id}"] = made.key
        return made.key

    async def replica(self) -> KeyStore:
        """The keys as another server has them: it shares nothing with this one but the document in Temporal."""
        where = TemporalConnection(address=self.temporal.address)
        return KeyStore(await connect(where, KeyFile(self.root / "keys.json")))

    def start_agent(self, name: str, groups: Sequence[str] = ("web",), *, key: str = "", **environ: str) -> Agent:
        """Start an agent with a key."""
        own = {"WATERFLOW_SERVER_CA": str(self.ca), "WATERFLOW_API_KEY": key}
        return super().start_agent(name, groups, **own, **environ)
