"""A site whose server and agents may read some secrets, and a Vault for them."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site

from secrecy._search import TOKEN
from secrecy._vault import HOW, Vault


@pytest.fixture(scope="package")
def vault_that_is_down(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A Vault that nobody has started; most tests of the site do not need one."""
    vault = Vault(tmp_path_factory.mktemp("vault"))
    yield vault
    vault.kill()


@pytest.fixture(scope="package")
def vault_binary(require_component: Callable[[str, str], Path]) -> Path:
    """A real Vault: `WATERFLOW_VAULT_BINARY`, which `make test` sets, else `waterflow-vault` on PATH."""
    named = os.environ.get("WATERFLOW_VAULT_BINARY")
    return Path(named) if named else require_component("waterflow-vault", HOW)


@pytest.fixture(scope="package")
def vault(vault_that_is_down: Vault, vault_binary: Path) -> Vault:
    """It runs and is unsealed. A test that seals it leaves it as it was."""
    vault = vault_that_is_down
    vault.start(vault_binary)
    vault.initialize()
    vault.write("shop/db", password="from-vault-6612", port=5432, options={"ssl": True}, nothing=None)
    vault.write("shop/api", token="from-vault-7713")
    vault.write("shop/hook", token="from-vault-9935")
    vault.write("other/db", password="of-another")
    return vault


@pytest.fixture
def mortal_vault(vault: Vault, vault_binary: Path) -> Iterator[Vault]:
    """The same for a test that kills it; whatever comes of the test, the next one has it again."""
    yield vault
    vault.kill()
    vault.start(vault_binary)
    vault.unseal()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(
    tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path, vault_that_is_down: Vault
) -> AsyncIterator[Site]:
    """A ready site, shared. ``web-01`` has the secrets, ``bare-01`` has none; both are in ``both``."""
    root = tmp_path_factory.mktemp("site")
    (root / "held").mkdir(mode=0o700)
    (root / "held" / "key.pem").write_text("-----BEGIN KEY-----\nagent/file+5521==\n-----END KEY-----\n")
    environ = {
        "WATERFLOW_SECRETS_ALLOW": "env:SHOP_*,vault:secret/*",
        "WATERFLOW_VAULT_TOKEN_FILE": str(vault_that_is_down.token_file),
        "SHOP_SERVER": "of-the-server-4417",
        "VAULT_ADDR": vault_that_is_down.address,
        "VAULT_CACERT": str(vault_that_is_down.ca),
    }
    async with Site.create(root, server_environ=environ) as made:
        allowed = f"env:SHOP_*,file:{root}/held/"
        made.start_agent("web-01", ["web", "both"], WATERFLOW_SECRETS_ALLOW=allowed, SHOP_TOKEN=TOKEN)
        made.start_agent("bare-01", ["bare", "both"])
        await made.until_online("web-01", "bare-01")
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def vaulted(site: Site, vault: Vault) -> None:
    """``vault-01`` of the group ``vaulted`` gets into the Vault as an AppRole that may log in once."""
    role = vault.app_role("agents", secret_id_num_uses=1)
    site.start_agent(
        "vault-01",
        ["vaulted"],
        WATERFLOW_SECRETS_ALLOW="vault:secret/*",
        WATERFLOW_VAULT_ADDRESS=vault.address,
        WATERFLOW_VAULT_CA=str(vault.ca),
        WATERFLOW_VAULT_ROLE_ID=role.role_id,
        WATERFLOW_VAULT_SECRET_ID_FILE=str(role.secret_id_file),
    )
    await site.until_online("vault-01")
