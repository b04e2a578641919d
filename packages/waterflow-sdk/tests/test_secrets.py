"""Secrets by reference: what may be read, how it is read, and the segment that stands for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.secrets import (
    AllowList,
    SecretMissing,
    SecretNotAllowed,
    SecretReference,
    SecretReferenceInvalid,
    SecretSources,
    SecretUnavailable,
    Segment,
    VaultReader,
    VaultSettings,
    holds_segment,
    make_segment,
    replace_segments,
    segments_in,
)

CODEC = PayloadCodec(KeyRing(active="k1", keys={"k1": bytes(32)}))


class TestReference:
    @pytest.mark.parametrize("text", ["env:DB_PASSWORD", "file:/run/secrets/a b", "vault:secret/shop/db#password"])
    def test_says_itself(self, text: str) -> None:
        assert str(SecretReference.parse(text)) == text

    @pytest.mark.parametrize(
        "text", ["", "DB", "env:", "env:A B", "file:rel", "file:/a/../b", "vault:secret", "vault:a/../b#c", "aws:x"]
    )
    def test_that_is_none(self, text: str) -> None:
        with pytest.raises(SecretReferenceInvalid) as caught:
            SecretReference.parse(text)
        assert str(caught.value) == (
            f"{text!r} is no place of a secret: write env:NAME, file:/path or vault:mount/path#field"
        )


class TestAllowList:
    def allows(self, pattern: str, text: str) -> bool:
        return AllowList([pattern]).allows(SecretReference.parse(text))

    @pytest.mark.parametrize(
        ("pattern", "text", "allowed"),
        [
            ("env:DB", "env:DB", True),
            ("env:DB", "env:DB_PASSWORD", False),
            ("env:DB_*", "env:DB_PASSWORD", True),
            ("env:DB_*", "env:HOME", False),
            ("env:DB", "file:/DB", False),
            ("vault:secret/shop", "vault:secret/shop#a", True),
            ("vault:secret/shop", "vault:secret/shop/db#a", False),
            ("vault:secret/shop/*", "vault:secret/shop/db#a", True),
            ("vault:secret/shop/*", "vault:secret/shopping#a", False),
        ],
    )
    def test_names(self, pattern: str, text: str, allowed: bool) -> None:
        assert self.allows(pattern, text) is allowed

    def test_nothing_by_default(self) -> None:
        assert not AllowList().allows(SecretReference.parse("env:HOME"))

    def test_directories_hold_what_is_below_them_and_not_what_links_lead_to(self, tmp_path: Path) -> None:
        inside = tmp_path / "secrets"
        inside.mkdir()
        (tmp_path / "shadow").write_text("x")
        (inside / "key").write_text("x")
        (inside / "out").symlink_to(tmp_path / "shadow")
        (inside / "in").symlink_to(inside / "key")
        allowed = f"file:{inside}/"
        found = {name: self.allows(allowed, f"file:{inside}/{name}") for name in ("key", "in", "out")}
        assert found == {"key": True, "in": True, "out": False}
        assert not self.allows(allowed, f"file:{inside}2/key")

    @pytest.mark.parametrize("pattern", ["*", "env:*", "file:/*", "vault:*", "DB_PASSWORD", "file:/a/../b"])
    def test_a_pattern_that_is_none(self, pattern: str) -> None:
        with pytest.raises(ValueError, match=r"is no pattern of secrets: write env:NAME"):
            AllowList([pattern])


class TestSources:
    def sources(self, *allowed: str, **environ: str) -> SecretSources:
        return SecretSources("agent web-01", AllowList(allowed), environ=environ)

    async def read(self, sources: SecretSources, text: str) -> str:
        return await sources.read(SecretReference.parse(text))

    async def test_a_variable(self) -> None:
        assert await self.read(self.sources("env:DB", DB="pass"), "env:DB") == "pass"

    async def test_a_file_without_its_last_line_break(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("one\ntwo\n")
        assert await self.read(self.sources(f"file:{tmp_path}/"), f"file:{tmp_path}/key") == "one\ntwo"

    async def test_not_allowed(self) -> None:
        with pytest.raises(SecretNotAllowed) as caught:
            await self.read(self.sources(DB="pass"), "env:DB")
        assert str(caught.value) == ("agent web-01 may not read env:DB; its setting secrets.allow does not list it")

    async def test_what_is_missing(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "binary").write_bytes(b"\xff\xfe")
        sources = self.sources("env:DB", "env:EMPTY", f"file:{tmp_path}/", EMPTY="")
        expected = {
            "env:DB": "agent web-01 has no such environment variable",
            f"file:{tmp_path}/none": "agent web-01 cannot read it: No such file or directory",
            f"file:{tmp_path}/pipe": "agent web-01 finds no regular file there",
        }
        for text, reason in expected.items():
            with pytest.raises(SecretMissing) as caught:
                await self.read(sources, text)
            assert str(caught.value) == f"{text}: {reason}"
        with pytest.raises(SecretMissing, match=r"^env:EMPTY is empty, as agent web-01 sees it$"):
            await self.read(sources, "env:EMPTY")
        with pytest.raises(SecretMissing, match=r"is not text in UTF-8, as agent web-01 sees it$"):
            await self.read(sources, f"file:{tmp_path}/binary")


class TestSegment:
    def test_opens_with_the_key_ring_only(self) -> None:
        segment = make_segment("DB", "env:DB_PASSWORD", CODEC)
        assert Segment.open(segment, CODEC) == Segment("DB", "env:DB_PASSWORD")
        stranger = PayloadCodec(KeyRing(active="k2", keys={"k2": bytes(32)}))
        with pytest.raises(SecretReferenceInvalid, match=r"payload is sealed with key 'k1', which is not in this key"):
            Segment.open(segment, stranger)

    def test_nobody_without_the_key_makes_one(self) -> None:
        plain = PayloadCodec()
        with pytest.raises(SecretReferenceInvalid, match=r"^secret DB: without a key ring no reference can be sealed$"):
            make_segment("DB", "env:DB", plain)
        sealed = plain.seal(msgspec.json.encode(["DB", "env:DB"]))
        import base64

        raw = base64.urlsafe_b64encode(msgspec.msgpack.encode((sealed.metadata, sealed.data))).decode().rstrip("=")
        with pytest.raises(SecretReferenceInvalid, match=r"^a segment that stands for a secret is not sealed$"):
            Segment.open(f"{{wfsecret:{raw}}}", CODEC)

    def test_is_found_and_replaced_in_any_data(self) -> None:
        one, two = make_segment("A", "env:A", CODEC), make_segment("B", "env:B", CODEC)
        data = {"x": [f"{one}:{two}", 5, None], one: f"-{one}"}
        assert segments_in(data) == [one, two]
        assert replace_segments(data, {one: "1", two: "2"}.__getitem__) == {"x": ["1:2", 5, None], "1": "-1"}

    @pytest.mark.parametrize("change", [str.upper, lambda text: text[:-4], lambda text: text.replace("}", "")])
    def test_that_an_expression_has_changed(self, change: object) -> None:
        changed = change(make_segment("A", "env:A", CODEC))  # type: ignore[operator]
        assert holds_segment([changed])
        with pytest.raises(SecretReferenceInvalid, match=r"it may only stand alone or in a text$"):
            segments_in([changed])


class Vault:
    """Answers as Vault's documentation says for KV version 2 and AppRole."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.token = "s.first"
        self.status = 0
        self.address = ""

    async def answer(self, request: web.Request) -> web.Response:
        token = request.headers.get("X-Vault-Token", "")
        self.asked.append((request.method, request.path, token))
        if self.status:
            return web.json_response({"errors": ["no"]}, status=self.status, headers={"Location": "/elsewhere"})
        if request.path == "/v1/auth/approle/login":
            given = await request.json()
            if given != {"role_id": "r1", "secret_id": "sid"}:
                return web.json_response({"errors": ["invalid role or secret ID"]}, status=400)
            return web.json_response({"auth": {"client_token": self.token, "lease_duration": 60}, "data": None})
        if token != self.token:
            return web.json_response({"errors": ["permission denied"]}, status=403)
        if request.path != "/v1/secret/data/shop/db":
            return web.json_response({"errors": []}, status=404)
        data = {"password": "pa ss", "port": 5432}
        return web.json_response({"data": {"data": data, "metadata": {"version": 1}}, "lease_id": ""})


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    found = Vault()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


class TestVault:
    async def read(self, reader: VaultReader, text: str = "vault:secret/shop/db#password") -> str:
        return await reader.read(SecretReference.parse(text))

    async def test_a_field_by_token(self, vault: Vault) -> None:
        reader = VaultReader(VaultSettings(address=vault.address, token="s.first"))
        assert await self.read(reader) == "pa ss"
        assert await self.read(reader, "vault:secret/shop/db#port") == "5432"
        assert vault.asked == [("GET", "/v1/secret/data/shop/db", "s.first")]

    async def test_a_token_file_is_read_each_time(self, vault: Vault, tmp_path: Path) -> None:
        file = tmp_path / "token"
        reader = VaultReader(VaultSettings(address=vault.address, token_file=file))
        with pytest.raises(SecretUnavailable, match=r"^the token of Vault cannot be read from "):
            await self.read(reader)
        file.write_text("s.first\n")
        assert await self.read(reader) == "pa ss"

    async def test_an_app_role_logs_in_again_when_its_token_has_expired(self, vault: Vault, tmp_path: Path) -> None:
        (tmp_path / "sid").write_text("sid\n")
        reader = VaultReader(VaultSettings(address=vault.address, role_id="r1", secret_id_file=tmp_path / "sid"))
        with pytest.raises(SecretMissing, match=r"^vault:secret/none#a: Vault has no such secret$"):
            await self.read(reader, "vault:secret/none#a")
        vault.token = "s.second"
        assert await self.read(reader) == "pa ss"
        assert [path for _, path, _ in vault.asked].count("/v1/auth/approle/login") == 2

    async def test_a_field_that_is_not_there(self, vault: Vault) -> None:
        reader = VaultReader(VaultSettings(address=vault.address, token="s.first"))
        with pytest.raises(SecretMissing) as caught:
            await self.read(reader, "vault:secret/shop/db#user")
        assert str(caught.value) == "vault:secret/shop/db#user: the secret in Vault has no field 'user'"

    async def test_secrets_that_are_read_at_once_share_a_login(self, vault: Vault, tmp_path: Path) -> None:
        (tmp_path / "sid").write_text("sid")
        reader = VaultReader(VaultSettings(address=vault.address, role_id="r1", secret_id_file=tmp_path / "sid"))
        texts = ("vault:secret/shop/db#password", "vault:secret/shop/db#port")
        assert await asyncio.gather(*(self.read(reader, text) for text in texts)) == ["pa ss", "5432"]
        assert [path for _, path, _ in vault.asked].count("/v1/auth/approle/login") == 1

    async def test_certificates_that_are_not_there(self, vault: Vault, tmp_path: Path) -> None:
        reader = VaultReader(VaultSettings(address=vault.address, token="s.first", ca=tmp_path / "ca.pem"))
        with pytest.raises(SecretUnavailable) as caught:
            await self.read(reader)
        assert str(caught.value) == (
            f"the certificates for Vault cannot be read from {tmp_path / 'ca.pem'}: No such file or directory"
        )

    @pytest.mark.parametrize(
        ("status", "why"),
        [
            (403, "it does not let us read that"),
            (503, "it is sealed or in maintenance"),
            (307, "unexpected"),  # a redirect would carry the token away
        ],
    )
    async def test_that_refuses(self, vault: Vault, status: int, why: str) -> None:
        vault.status = status
        reader = VaultReader(VaultSettings(address=vault.address, token="s.first"))
        with pytest.raises(SecretUnavailable) as caught:
            await self.read(reader)
        assert str(caught.value) == (f"vault:secret/shop/db: Vault at {vault.address} answers HTTP {status}: {why}")
        assert len(vault.asked) == 1

    async def test_that_is_away(self) -> None:
        reader = VaultReader(VaultSettings(address="http://127.0.0.1:9", token="t"))
        with pytest.raises(SecretUnavailable, match=r"^Vault at http://127\.0\.0\.1:9 cannot be asked: "):
            await self.read(reader)
