"""Where the admin key comes from, and which ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from waterflow_server.auth import ADMIN_KEY_VARIABLE, read_admin_key
from waterflow_server.auth._admin_key import InvalidAdminKey
from waterflow_server.auth._secret import hash_of

KEY = "0123456789abcdef0123456789abcdef"
RULE = "32 to 512 visible ASCII characters, such as `openssl rand -hex 32` makes them"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "admin.key"


class TestSource:
    def test_none(self) -> None:
        assert read_admin_key(None, {}) is None

    def test_the_file_without_its_line_end(self, file: Path) -> None:
        file.write_text(f"{KEY}\n")
        assert read_admin_key(file, {}) == hash_of(KEY)

    def test_the_environment_goes_before_it(self, file: Path) -> None:
        file.write_text(KEY)
        assert read_admin_key(file, {ADMIN_KEY_VARIABLE: KEY[::-1]}) == hash_of(KEY[::-1])


class TestRefused:
    def test_a_file_that_is_not_there(self, file: Path) -> None:
        with pytest.raises(InvalidAdminKey) as caught:
            read_admin_key(file, {})
        assert caught.value.message == f"auth.admin_key_file: {file}: No such file or directory"

    @pytest.mark.parametrize("text", ["", KEY[1:], f"{KEY} {KEY}", "x" * 513])
    def test_a_key_that_could_be_guessed_or_is_none(self, file: Path, text: str) -> None:
        file.write_text(text)
        with pytest.raises(InvalidAdminKey) as caught:
            read_admin_key(file, {})
        assert caught.value.message == f"auth.admin_key_file: {file}: an admin key has {RULE}"

    def test_bytes(self, file: Path) -> None:
        file.write_bytes(b"\xff" * 40)
        with pytest.raises(InvalidAdminKey) as caught:
            read_admin_key(file, {})
        assert caught.value.message == f"auth.admin_key_file: {file} is no admin key: {RULE}"
        assert caught.value.__cause__ is None

    def test_in_the_environment(self) -> None:
        with pytest.raises(InvalidAdminKey) as caught:
            read_admin_key(None, {ADMIN_KEY_VARIABLE: "hunter2"})
        assert caught.value.message == f"environment variable {ADMIN_KEY_VARIABLE}: an admin key has {RULE}"
