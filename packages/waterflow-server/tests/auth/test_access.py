"""Who is let in with which header, and what the others are told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from waterflow_server.auth import ANONYMOUS, AnyoneAccess, KeyAccess, KeyMissing, KeyRefused, KnownKeys
from waterflow_server.auth._errors import KeysUnread
from waterflow_server.auth._secret import hash_of, make_key

from .keys import NOW, now, stored, table

ADMIN_KEY = "of-the-settings-0123456789abcdef0123"


@pytest.fixture
def known() -> KnownKeys:
    keys = KnownKeys()
    keys.take(table())
    return keys


@pytest.fixture
def access(known: KnownKeys) -> KeyAccess:
    return KeyAccess(known, hash_of(ADMIN_KEY), now)


def refused(access: KeyAccess, key: str) -> str:
    with pytest.raises(KeyRefused) as caught:
        access.caller(f"Bearer {key}")
    assert key[-64:] not in caught.value.message
    return caught.value.message


class TestNobodyIsAsked:
    def test_everybody_may_do_everything(self) -> None:
        caller = AnyoneAccess().caller(None)
        assert caller is ANONYMOUS
        assert (caller.name, caller.known) == ("anonymous", False)
        assert caller.scopes == {"read", "run", "admin", "agent"}
        assert AnyoneAccess().stands(caller)


class TestScopes:
    @pytest.mark.parametrize(
        ("given", "included"),
        [
            ("read", {"read"}),
            ("run", {"run", "read"}),
            ("admin", {"admin", "run", "read"}),
            ("agent", {"agent"}),
        ],
    )
    def test_what_they_include(self, access: KeyAccess, known: KnownKeys, given: str, included: set[str]) -> None:
        key, kept = stored("ann", given)
        known.take(table(kept))
        assert access.caller(f"Bearer {key}").scopes == included


class TestCaller:
    def test_is_the_key_by_its_name(self, access: KeyAccess, known: KnownKeys) -> None:
        key, kept = stored("web-01", "agent", agent="web-01")
        known.take(table(kept))
        caller = access.caller(f"bearer  {key} ")
        assert (caller.name, caller.key_id, caller.agent, caller.known) == ("web-01", kept.id, "web-01", True)

    def test_of_the_admin_key(self, access: KeyAccess) -> None:
        caller = access.caller(f"Bearer {ADMIN_KEY}")
        assert (caller.name, sorted(caller.scopes)) == ("admin", ["admin", "read", "run"])
        assert access.stands(caller)

    def test_of_the_admin_key_before_the_others_were_read(self) -> None:
        access = KeyAccess(KnownKeys(), hash_of(ADMIN_KEY), now)
        assert access.caller(f"Bearer {ADMIN_KEY}").name == "admin"


class TestRefused:
    @pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "wf_0123456789ab_00"])
    def test_no_key(self, access: KeyAccess, header: str | None) -> None:
        with pytest.raises(KeyMissing) as caught:
            access.caller(header)
        assert caught.value.message == (
            "this server asks for an API key: send it in the header `Authorization: Bearer <key>`"
        )

    @pytest.mark.parametrize(
        "key",
        ["password1", "wf_x_y", "ключ", "\udcff", "x" * 100_000],
        ids=["word", "short", "letters", "bytes", "long"],
    )
    def test_what_is_none(self, access: KeyAccess, key: str) -> None:
        assert refused(access, key) == "what was sent is not an API key; one looks like wf_<id>_<secret>"

    def test_an_unknown_one(self, access: KeyAccess) -> None:
        key, id = make_key()
        assert refused(access, key) == (
            f"API key {id} is not known here: it was revoked long ago, or it is not a key of this server"
        )

    def test_a_forged_one_learns_nothing_about_the_real_one(self, access: KeyAccess, known: KnownKeys) -> None:
        _, kept = stored("ann", "read", revoked=NOW)
        known.take(table(kept))
        assert refused(access, f"wf_{kept.id}_{'0' * 64}") == (
            f"API key {kept.id} is not known here: it was revoked long ago, or it is not a key of this server"
        )

    def test_an_expired_one(self, access: KeyAccess, known: KnownKeys) -> None:
        key, kept = stored("ann", "read", expires=NOW)
        known.take(table(kept))
        assert refused(access, key) == (
            f"API key {kept.id} (ann) has expired at 2026-11-21 10:00:00 UTC; an administrator can make a new one"
        )

    def test_a_revoked_one(self, access: KeyAccess, known: KnownKeys) -> None:
        key, kept = stored("ann", "read", revoked=NOW - timedelta(hours=1), expires=NOW)
        known.take(table(kept))
        assert refused(access, key) == (
            f"API key {kept.id} (ann) was revoked at 2026-11-21 09:00:00 UTC; an administrator can make a new one"
        )

    def test_any_while_the_keys_were_not_read_yet(self) -> None:
        with pytest.raises(KeysUnread) as caught:
            KeyAccess(KnownKeys(), None, now).caller(f"Bearer {make_key()[0]}")
        assert caught.value.message == (
            "the server has started and has not read the API keys yet; try again in a moment"
        )


class TestStands:
    def test_until_the_key_is_revoked(self, access: KeyAccess, known: KnownKeys) -> None:
        key, kept = stored("ann", "read")
        known.take(table(kept))
        caller = access.caller(f"Bearer {key}")
        assert access.stands(caller)
        known.take(table(kept).revoking("ann", NOW))
        assert not access.stands(caller)
        known.take(table())
        assert not access.stands(caller)
