"""What a key looks like, and what is kept of it."""

from __future__ import annotations

import hashlib
import re

import pytest

from waterflow_server.auth._secret import hash_of, id_of, make_key


class TestMakeKey:
    def test_has_an_id_and_256_bits(self) -> None:
        key, id = make_key()
        assert re.fullmatch(r"wf_[0-9a-f]{12}_[0-9a-f]{64}", key)
        assert id_of(key) == id

    def test_is_another_one_each_time(self) -> None:
        assert len({make_key() for _ in range(100)}) == 100


class TestHash:
    def test_is_the_sha256_of_the_whole_key(self) -> None:
        assert hash_of("wf_a_b") == hashlib.sha256(b"wf_a_b").hexdigest()


class TestIdOf:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "password1",
            "wf_0123456789ab",
            "wf_0123456789ab_",
            f"wf_0123456789AB_{'0' * 64}",
            f"wf_0123456789ab_{'0' * 65}",
            f"wf_0123456789ab_{'0' * 64}\n",
        ],
    )
    def test_of_what_is_no_key(self, text: str) -> None:
        assert id_of(text) is None
