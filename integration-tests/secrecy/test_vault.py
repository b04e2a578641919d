"""What a real Vault answers, and what is made of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from harness.site import until

from secrecy._vault import Vault
from waterflow_sdk.secrets import (
    SecretError,
    SecretMissing,
    SecretReference,
    SecretUnavailable,
    VaultReader,
    VaultSettings,
)

PASSWORD = "vault:secret/shop/db#password"
INVALID = "the token has expired, was revoked, or is not one of this Vault"


def reader(vault: Vault, **given: object) -> VaultReader:
    """A new one: what another has read, it does not know."""
    return VaultReader(VaultSettings(**{"address": vault.address, "ca": vault.ca, **given}))  # type: ignore[arg-type]


def by_token(vault: Vault) -> VaultReader:
    return reader(vault, token_file=vault.token_file)


def by_role(vault: Vault, name: str, **options: object) -> VaultReader:
    role = vault.app_role(name, **options)
    return reader(vault, role_id=role.role_id, secret_id_file=role.secret_id_file)


async def read(reader: VaultReader, text: str = PASSWORD) -> str:
    return await reader.read(SecretReference.parse(text))


async def refusal(reading: Awaitable[str], kind: type[SecretError] = SecretUnavailable) -> str:
    """The message of the error that reading ends with."""
    with pytest.raises(kind) as caught:
        await reading
    return str(caught.value)


class TestFields:
    @pytest.mark.parametrize(
        ("field", "value"), [("password", "from-vault-6612"), ("port", "5432"), ("options", '{"ssl":true}')]
    )
    async def test_what_is_not_text_is_given_as_json(self, vault: Vault, field: str, value: str):
        assert await read(by_token(vault), f"vault:secret/shop/db#{field}") == value

    async def test_signs_in_a_path_mean_themselves(self, vault: Vault):
        vault.write("shop/grün-50%25+1&x", **{"the.key/é": "odd"})
        assert await read(by_token(vault), "vault:secret/shop/grün-50%25+1&x#the.key/é") == "odd"

    async def test_the_newest_version(self, vault: Vault):
        vault.write("shop/turned", password="old")
        vault.write("shop/turned", password="new")
        assert await read(by_token(vault), "vault:secret/shop/turned#password") == "new"


class TestMissing:
    @pytest.mark.parametrize("field", ["user", "nothing"])
    async def test_field(self, vault: Vault, field: str):
        text = f"vault:secret/shop/db#{field}"
        told = await refusal(read(by_token(vault), text), SecretMissing)
        assert told == f"{text}: the secret in Vault has no field {field!r}"

    async def test_path(self, vault: Vault):
        text = "vault:secret/shop/none#password"
        assert await refusal(read(by_token(vault), text), SecretMissing) == f"{text}: Vault has no such secret"

    async def test_path_that_was_deleted(self, vault: Vault):
        vault.write("shop/gone", password="was-here")
        vault.call("DELETE", "secret/data/shop/gone")
        text = "vault:secret/shop/gone#password"
        assert await refusal(read(by_token(vault), text), SecretMissing) == f"{text}: Vault has no such secret"

    async def test_engine_of_another_version(self, vault: Vault):
        vault.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
        vault.call("POST", "old/db", {"password": "of-version-1"})
        text = "vault:old/db#password"
        told = await refusal(read(reader(vault, token=vault.token(policies=["root"])), text), SecretMissing)
        assert told == f"{text}: Vault has no such secret"


class TestTokens:
    async def test_a_file_is_read_each_time(self, vault: Vault, tmp_path: Path):
        file = tmp_path / "token"
        file.write_text("hvs.of-yesterday")
        reading = reader(vault, token_file=file)
        assert INVALID in await refusal(read(reading))
        file.write_text(vault.token() + "\n")
        assert await read(reading) == "from-vault-6612"

    async def test_that_may_not_read_it(self, vault: Vault):
        told = await refusal(read(by_token(vault), "vault:secret/other/db#password"))
        assert told == (
            f"vault:secret/other/db: Vault at {vault.address} answers HTTP 403: it does not let us read that"
        )

    async def test_that_was_revoked(self, vault: Vault):
        token = vault.token()
        reading = reader(vault, token=token)
        assert await read(reading) == "from-vault-6612"
        vault.revoke(token)
        told = await refusal(read(reading, "vault:secret/shop/api#token"))
        assert told == f"vault:secret/shop/api: Vault at {vault.address} answers HTTP 403: {INVALID}"

    async def test_that_has_expired(self, vault: Vault):
        made = vault.call("POST", "auth/token/create", {"policies": ["shop"], "ttl": "1s"})["auth"]

        async def expired() -> bool:
            try:
                vault.call("POST", "auth/token/lookup", {"token": made["client_token"]})
            except HTTPError:
                return True
            return False

        await until(expired, "the token has expired")
        told = await refusal(read(reader(vault, token=made["client_token"])))
        assert told == f"vault:secret/shop/db: Vault at {vault.address} answers HTTP 403: {INVALID}"


class TestAppRoles:
    """``secret_id_num_uses`` is the number of logins that a secret id is good for."""

    async def test_secrets_that_are_read_at_once_share_a_login(self, vault: Vault):
        reading = by_role(vault, "once", secret_id_num_uses=1)
        texts = (PASSWORD, "vault:secret/shop/db#port", "vault:secret/shop/api#token")
        values = await asyncio.gather(*(read(reading, text) for text in texts))
        assert values == ["from-vault-6612", "5432", "from-vault-7713"]

    async def test_a_secret_that_it_may_not_read_costs_no_login(self, vault: Vault):
        reading = by_role(vault, "refused", secret_id_num_uses=1)
        assert await read(reading) == "from-vault-6612"
        assert "it does not let us read that" in await refusal(read(reading, "vault:secret/other/db#password"))
        assert await read(reading, "vault:secret/shop/api#token") == "from-vault-7713"

    @pytest.mark.parametrize("at_once", [1, 2])
    async def test_a_token_that_is_used_up_is_replaced_by_one_login(self, vault: Vault, at_once: int):
        reading = by_role(vault, f"short-{at_once}", token_num_uses=1 + at_once, secret_id_num_uses=2)
        names = [f"shop/short-{number}" for number in range(2 * (1 + at_once))]
        for name in names:
            vault.write(name, value=name)
        assert await read(reading, f"vault:secret/{names[0]}#value") == names[0]
        for start in range(1, len(names), at_once):
            now = names[start : start + at_once]
            assert await asyncio.gather(*(read(reading, f"vault:secret/{name}#value") for name in now)) == now

    async def test_a_token_that_was_revoked_is_replaced(self, vault: Vault):
        before = vault.tokens()
        reading = by_role(vault, "revoked")
        assert await read(reading) == "from-vault-6612"
        (accessor,) = vault.tokens() - before
        vault.call("POST", "auth/token/revoke-accessor", {"accessor": accessor})
        assert await read(reading, "vault:secret/shop/api#token") == "from-vault-7713"

    async def test_a_wrong_secret_id(self, vault: Vault):
        role = vault.app_role("wrong")
        role.secret_id_file.write_text("0f5c7a52-90f0-4a3e-8a0e-000000000000")
        told = await refusal(read(reader(vault, role_id=role.role_id, secret_id_file=role.secret_id_file)))
        assert told == f"Vault at {vault.address} refuses the AppRole (HTTP 400)"


class TestSealed:
    @pytest.fixture
    def sealed(self, vault: Vault) -> Iterator[Callable[[], None]]:
        """Unseals it when called, and at the end in any case."""
        vault.seal()
        yield vault.unseal
        vault.unseal()

    async def test_until_it_is_unsealed(self, vault: Vault, sealed: Callable[[], None]):
        reading = by_token(vault)
        told = await refusal(read(reading))
        assert told == (
            f"vault:secret/shop/db: Vault at {vault.address} answers HTTP 503: it is sealed or in maintenance"
        )
        sealed()
        assert await read(reading) == "from-vault-6612"

    @pytest.mark.usefixtures("sealed")
    async def test_a_login_is_told_so_too(self, vault: Vault, tmp_path: Path):
        (tmp_path / "secret-id").write_text("any")
        told = await refusal(read(reader(vault, role_id="any", secret_id_file=tmp_path / "secret-id")))
        assert told == (
            f"login of the AppRole: Vault at {vault.address} answers HTTP 503: it is sealed or in maintenance"
        )


class TestConnections:
    async def test_a_certificate_that_the_system_does_not_trust(self, vault: Vault):
        told = await refusal(read(reader(vault, ca=None, token="t")))
        assert told.startswith(f"Vault at {vault.address} cannot be asked: ")
        assert "certificate verify failed" in told

    @pytest.mark.parametrize(
        ("content", "reason"), [(None, "No such file or directory"), ("no PEM", "[X509: NO_CERTIFICATE_OR_CRL_FOUND]")]
    )
    async def test_certificates_that_cannot_be_read(
        self, vault: Vault, tmp_path: Path, content: str | None, reason: str
    ):
        ca = tmp_path / "ca.pem"
        if content is not None:
            ca.write_text(content)
        told = await refusal(read(reader(vault, ca=ca, token="t")))
        assert told.startswith(f"the certificates for Vault cannot be read from {ca}: {reason}")

    async def test_http_where_it_wants_https(self, vault: Vault):
        address = vault.address.replace("https", "http")
        told = await refusal(read(reader(vault, address=address, token="t")))
        assert told == f"Vault at {address} cannot be asked: it wants TLS, so its address begins with https://"

    async def test_one_that_does_not_answer(self, vault: Vault, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("waterflow_sdk.secrets._vault._TIMEOUT", 0.5)
        vault.freeze()
        try:
            told = await refusal(read(by_token(vault)))
        finally:
            vault.thaw()
        assert told == f"Vault at {vault.address} cannot be asked: no answer within 0.5 seconds"
