"""Keys are added, found and revoked; what a new key may be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from waterflow_sdk.wire import KeyCreate
from waterflow_server.auth import InvalidKey, KeyNotFound
from waterflow_server.auth._errors import KeyAmbiguous
from waterflow_server.auth._secret import make_key
from waterflow_server.auth._table import KEEP, check_new

from .keys import NOW, stored, table

NAME_RULE = "letters, digits, '.', '_', '@' and '-', at most 64, the first one a letter or digit"


class TestAdding:
    def test_keys_that_ended_long_ago_go(self) -> None:
        long_ago = NOW - KEEP - timedelta(seconds=1)
        _, living = stored("ann", "read")
        _, expired = stored("bob", "read", expires=long_ago)
        _, revoked = stored("cid", "read", revoked=long_ago)
        _, lately = stored("dan", "read", revoked=NOW)
        _, new = stored("eve", "read")
        assert table(living, expired, revoked, lately).adding(new, NOW).keys == [living, lately, new]


class TestFind:
    def test_by_id_whether_it_lives_or_not(self) -> None:
        _, gone = stored("ann", "read", revoked=NOW)
        assert table(gone).find(gone.id, NOW) is gone

    def test_by_the_name_of_the_only_one_that_lives(self) -> None:
        _, old = stored("ann", "read", revoked=NOW)
        _, new = stored("ann", "read")
        assert table(old, new).find("ann", NOW) is new

    def test_several_of_a_name(self) -> None:
        (_, one), (_, two) = stored("ann", "read"), stored("ann", "run")
        with pytest.raises(KeyAmbiguous) as caught:
            table(one, two).find("ann", NOW)
        assert caught.value.message == f"2 API keys have the name 'ann': {one.id}, {two.id}; name an id"

    def test_none(self) -> None:
        with pytest.raises(KeyNotFound) as caught:
            table().find("ann", NOW)
        assert caught.value.message == "there is no API key 'ann'"

    def test_a_whole_key_is_not_repeated(self) -> None:
        key, _ = make_key()
        with pytest.raises(KeyNotFound) as caught:
            table().find(key, NOW)
        assert caught.value.message == f"there is no API key {key[3:15]!r}"
        assert key[-64:] not in str(caught.value.details)


class TestRevoking:
    def test_it_does_not_live_any_more(self) -> None:
        (_, one), (_, other) = stored("ann", "read"), stored("bob", "read")
        after = table(one, other).revoking("ann", NOW)
        assert not after.keys[0].lives(NOW)
        assert after.keys[1] is other

    def test_again_changes_nothing(self) -> None:
        _, gone = stored("ann", "read", revoked=NOW - timedelta(days=1))
        before = table(gone)
        assert before.revoking(gone.id, NOW) is before


class TestLives:
    def test_until_it_expires(self) -> None:
        _, key = stored("ann", "read", expires=NOW)
        assert key.lives(NOW - timedelta(microseconds=1))
        assert not key.lives(NOW)


class TestShown:
    def test_never_the_hash(self) -> None:
        _, key = stored("ann", "read")
        assert not hasattr(key.shown(), "hash")
        assert key.hash not in repr(key.shown())


class TestNew:
    def test_scopes_are_put_in_order(self) -> None:
        assert check_new(KeyCreate(name="ann", scopes=["agent", "read", "agent"]), NOW) == ["read", "agent"]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"name": ""}, f"name: '' is not a name: {NAME_RULE}"),
            ({"name": "admin"}, "name: 'admin' is taken by the server itself"),
            ({"name": "anonymous"}, "name: 'anonymous' is taken by the server itself"),
            ({"scopes": []}, "scopes: a key needs at least one of read, run, admin, agent"),
            ({"agent": "web-01"}, "agent: only a key whose one scope is agent can belong to one agent"),
            ({"scopes": ["agent"], "agent": ""}, "agent: the name of an agent has 1 to 256 printable characters"),
            ({"expires": NOW}, "expires: 2026-11-21T10:00:00+00:00 is over"),
            ({"expires": datetime(2027, 1, 1)}, "expires: 2027-01-01T00:00:00 needs a time zone, such as Z for UTC"),
        ],
    )
    def test_what_is_refused(self, given: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidKey) as caught:
            check_new(msgspec.convert({"name": "ann", "scopes": ["read"], **given}, KeyCreate), NOW)
        assert caught.value.message == message

    def test_all_at_once(self) -> None:
        with pytest.raises(InvalidKey) as caught:
            check_new(KeyCreate(name="a b", scopes=[]), NOW)
        assert [each["path"] for each in caught.value.details["errors"]] == ["name", "scopes"]
