"""Masking: every form of a secret, in whole texts and in chunks."""

from __future__ import annotations

import base64
import json
import re
from itertools import pairwise
from threading import RLock
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waterflow_sdk.node import Masker, MaskStream
from waterflow_sdk.node._lines import MAX_LINE
from waterflow_sdk.node._text import MaskedText
from waterflow_sdk.wire import LogRecord, LogStreamKind

SECRET = 'p&ss "wörd"/+x='


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS = {
    "itself": SECRET,
    "base64": b64(SECRET),
    "base64 behind one byte": b64("u" + SECRET),
    "base64 behind two bytes": b64("u:" + SECRET),
    "base64 of user and password": b64(f"admin:{SECRET}"),
    "base64 with a line break at its end": b64(SECRET + "\n"),
    "base64url": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "base64 without padding": b64(SECRET).rstrip("="),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal in capitals": SECRET.encode().hex().upper(),
    "hexadecimal in a longer text": f"admin:{SECRET}\n".encode().hex(),
    "URL-encoded": quote(SECRET, safe=""),
    "URL-encoded, slash kept": quote(SECRET),
    "URL-encoded, lower case": re.sub("%..", lambda match: match[0].lower(), quote(SECRET, safe="")),
    "form-encoded": quote_plus(SECRET),
    "JSON": json.dumps(SECRET)[1:-1],
    "JSON, not ASCII": json.dumps(SECRET, ensure_ascii=False)[1:-1],
}


class TestForms:
    @pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
    def test_form(self, form: str) -> None:
        masked = Masker([SECRET]).mask(f"a {form} b")
        assert "***" in masked
        core = form[4:-4]  # at a shifted alignment the first and last characters also depend on the neighbours
        assert core not in masked

    def test_several_lines(self) -> None:
        masker = Masker(["-----BEGIN-----\r\nabc\n}\nxyz\n"])
        assert [masker.mask(line) for line in ("-----BEGIN-----", " abc", "}", "xyz!")] == ["***", " ***", "}", "***!"]

    def test_wrapped_base64(self) -> None:
        secret = "0123456789abcdef" * 20
        lines = base64.encodebytes(secret.encode()).decode().splitlines()
        assert {Masker([secret]).mask(line) for line in lines} == {"***"}

    def test_wrapped_hexadecimal(self) -> None:
        """As `xxd -p` writes it; what is left for the last line is masked too, unless it is as short as any number."""
        digits = ("0123456789abcdef" * 20).encode().hex()
        lines = [digits[start : start + 60] for start in range(0, len(digits), 60)]
        assert [Masker(["0123456789abcdef" * 20]).mask(line) for line in lines] == ["***"] * len(lines)
        assert Masker(["abc"]).mask("abc is 616263") == "*** is 616263"

    def test_the_longest_wins(self) -> None:
        assert Masker(["abc", "abcdef"]).mask("abcdefg abcd") == "***g ***d"

    def test_among_many_too(self) -> None:
        values = [f"{first}{second}{'x' * length}" for first in "abc" for second in "abc" for length in range(20)]
        masker = Masker(values)
        assert [masker.mask(f"-{value}-") for value in values] == ["-***-"] * len(values)

    @pytest.mark.parametrize("value", ["", "x", "\n", "x\ny"], ids=repr)
    def test_one_character_is_never_masked(self, value: str) -> None:
        assert Masker([value]).mask("x y z x\ny") in ("x y z x\ny",)

    def test_characters_that_patterns_know(self) -> None:
        assert Masker(["a.*(b"]).mask("a.*(b axxb") == "*** axxb"

    def test_values_added_later(self) -> None:
        masker = Masker()
        assert masker.mask("geheim") == "geheim"
        masker.add("geheim")
        assert masker.mask("geheim") == "***"

    def test_data(self) -> None:
        data = {"geheim": ["x geheim", 3, None, {"a": ("geheim",)}]}
        assert Masker(["geheim"]).mask_data(data) == {"***": ["x ***", 3, None, {"a": ["***"]}]}

    def test_lone_surrogates_do_not_break_it(self) -> None:
        assert Masker(["ab\ud800cd"]).mask("ab\ud800cd") == "***"


def stream(masker: Masker, chunks: list[str]) -> list[str]:
    masked = MaskStream(masker)
    return [*(masked.feed(chunk) for chunk in chunks), masked.flush()]


class TestChunks:
    def test_a_secret_cut_in_two(self) -> None:
        assert "".join(stream(Masker(["geheimnis"]), ["my gehe", "imnis!"])) == "my ***!"

    def test_a_whole_line_is_not_held_back(self) -> None:
        assert stream(Masker(["geheimnis"]), ["a line\n"]) == ["a line\n", ""]

    def test_what_may_be_a_beginning_is_held_back_and_flushed(self) -> None:
        assert stream(Masker(["geheim"]), ["gehe"])[-1] == "gehe"

    def test_a_shorter_secret_at_the_border_waits_for_the_longer(self) -> None:
        assert "".join(stream(Masker(["abc", "abcdefgh"]), ["xxxxxxxxabc", "defghx"])) == "xxxxxxxx***x"

    def test_without_secrets_nothing_is_held_back(self) -> None:
        assert stream(Masker(), ["abc"]) == ["abc", ""]

    @given(
        text=st.lists(st.sampled_from(["abc", "abcdef", "a", "b", "def", "\n", "x"]), max_size=12).map("".join),
        cuts=st.lists(st.integers(0, 40), max_size=6),
    )
    def test_chunks_never_change_the_result(self, text: str, cuts: list[int]) -> None:
        masker = Masker(["abcdef", "abc", "bx"])
        borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
        chunks = [text[a:b] for a, b in pairwise(borders)]
        assert "".join(stream(masker, chunks)) == masker.mask(text)


class TestLongLines:
    @pytest.mark.parametrize("before", range(MAX_LINE - len("geheimnis") - 1, MAX_LINE + 2))
    def test_no_part_holds_a_part_of_a_secret(self, before: int) -> None:
        records: list[LogRecord] = []
        text = MaskedText(LogStreamKind.STDOUT, Masker(["geheimnis"]), records.extend, RLock())
        line = "x" * before + "geheimnis" + "y" * 10
        for start in range(0, len(line), 4096):
            text.write(line[start : start + 4096])
        text.flush()
        assert "".join(record.text for record in records) == "x" * before + "***" + "y" * 10
        assert [record.partial for record in records] == [True] * (len(records) - 1) + [False]
