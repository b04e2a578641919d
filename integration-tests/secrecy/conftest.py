"""A site whose server and agents may read some secrets, and a Vault for them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site

from secrecy._search import TOKEN
from secrecy._vault import Vault


@pytest.fixture(scope="session")
def vault() -> Iterator[Vault]:
    """A server that answers as Vault's API documentation says (KV version 2)."""
    with Vault({"shop/db": {"password": "from-vault-6612"}}) as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path, vault: Vault) -> AsyncIterator[Site]:
    """A ready site, shared. ``web-01`` has the secrets, ``bare-01`` has none; both are in ``both``."""
    root = tmp_path_factory.mktemp("site")
    (root / "held").mkdir(mode=0o700)
    (root / "held" / "key.pem").write_text("-----BEGIN KEY-----\nagent/file+5521==\n-----END KEY-----\n")
    environ = {"WATERFLOW_SECRETS_ALLOW": "env:SHOP_*", "SHOP_SERVER": "of-the-server-4417"}
    async with Site.create(root, server_environ=environ) as made:
        made.start_agent(
            "web-01",
            ["web", "both"],
            WATERFLOW_SECRETS_ALLOW=f"env:SHOP_*,file:{root}/held/,vault:secret/shop/*",
            SHOP_TOKEN=TOKEN,
            VAULT_ADDR=vault.address,
            VAULT_TOKEN=vault.token,
        )
        made.start_agent("bare-01", ["bare", "both"])
        await made.until_online("web-01", "bare-01")
        yield made
