"""API keys from files: what is read, what a bad file is told, and that another key in it is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from waterflow_agent._api_key import ApiKey
from waterflow_agent._errors import SettingsError

BAD: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("two of them", b"one\ntwo\n"),
    ("longer than any key", b"x" * 9000),
    ("no text", b"\xff\xfe"),
]


class TestValue:
    def test_of_a_file_without_the_white_space_around_it(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("  wf_1_secret\n")
        key = ApiKey("server", file=tmp_path / "key")
        assert (key.value(), key.any, key.setting) == ("wf_1_secret", True, "server.api_key_file")

    def test_a_key_that_is_given_goes_before_the_file(self, tmp_path: Path) -> None:
        key = ApiKey("server", "given", tmp_path / "not there")
        assert (key.value(), key.mark(), key.setting) == ("given", None, "server.api_key")

    def test_none_is_set(self) -> None:
        key = ApiKey("temporal")
        assert (key.value(), key.any, key.setting) == (None, False, "temporal.api_key")

    @pytest.mark.parametrize("data", [data for _, data in BAD], ids=[name for name, _ in BAD])
    def test_a_file_that_holds_none_is_told_without_what_is_in_it(self, tmp_path: Path, data: bytes) -> None:
        file = tmp_path / "key"
        file.write_bytes(data)
        with pytest.raises(SettingsError) as raised:
            ApiKey("server", file=file).value()
        assert raised.value.message == (
            f"server.api_key_file: {file} has to hold a key, in visible ASCII characters, and no more"
        )

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        with pytest.raises(SettingsError) as raised:
            ApiKey("temporal", file=file).value()
        assert raised.value.message == f"temporal.api_key_file: {file} cannot be read: No such file or directory"


class TestMark:
    @pytest.mark.parametrize("how", ["written", "replaced", "removed"])
    def test_changes_with_the_file(self, tmp_path: Path, how: str) -> None:
        file, other = tmp_path / "key", tmp_path / "other"
        file.write_text("old")
        os.utime(file, ns=(0, 0))
        key = ApiKey("server", file=file)
        before = key.mark()
        assert key.mark() == before
        match how:
            case "written":
                file.write_text("new")
            case "replaced":
                other.write_text("new")
                os.utime(other, ns=(0, 0))
                other.replace(file)
            case _:
                file.unlink()
        assert key.mark() != before
