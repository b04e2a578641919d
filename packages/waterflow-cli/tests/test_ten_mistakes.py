"""A file with ten mistakes of a new user's shows ten errors, each with its place, in words, with what to do."""

from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent / "data"
FILE = "ten-mistakes.yaml"


@pytest.fixture(autouse=True)
def _beside_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DATA)


class TestTenMistakes:
    def test_the_whole_output(self, waterflow: Any) -> None:
        result = waterflow("validate", FILE, "--no-server-catalog")
        assert (result.code, result.err) == (2, "")
        assert result.out == (DATA / "ten-mistakes.txt").read_text("utf-8")

    def test_each_is_one_error_with_a_hint(self, waterflow: Any) -> None:
        out = waterflow("validate", FILE, "--no-server-catalog").out
        assert out.count(": error WF") == out.count("= hint: ") == 10
        assert out.endswith("\n10 errors\n\n")
