"""Files that are no workflow files: one clear message each, exit code 2, and nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _in_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _nothing(path: Path) -> None:
    path.with_name("flow.yml").write_text("a: 1")


def _directory(path: Path) -> None:
    path.mkdir()
    (path / "deploy.yaml").write_text("a: 1")


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)


CASES = {
    "missing": (_nothing, "the file 'flow.yaml' does not exist", "did you mean 'flow.yml'?"),
    "directory": (_directory, "'flow.yaml' is a directory, not a workflow file", "it holds flow.yaml/deploy.yaml"),
    "100 MB": (
        _large,
        "'flow.yaml' has 100.0 MB; a workflow file has at most 8 MB",
        "give the name of a workflow file; data belongs into files that its steps read",
    ),
    "binary": (
        lambda path: path.write_bytes(b"\x7fELF\x00\x01"),
        "'flow.yaml' is binary, not a workflow file",
        "a workflow file is YAML in UTF-8",
    ),
    "not UTF-8": (
        lambda path: path.write_bytes(b"name: x\nrun: \xe9"),
        "flow.yaml:2: byte 0xe9 is not UTF-8",
        "save the file as UTF-8",
    ),
}


class TestUnreadable:
    @pytest.mark.parametrize("command", ["run", "submit", "validate"])
    @pytest.mark.parametrize(("make", "message", "hint"), CASES.values(), ids=list(CASES))
    def test_case(self, waterflow: Any, command: str, make: Any, message: str, hint: str) -> None:
        make(Path("flow.yaml"))
        result = waterflow(command, "flow.yaml")
        assert (result.code, result.err) == (2, f"error: {message}\nhint: {hint}\n")

    def test_the_same_extension_does_not_make_a_name_alike(self, waterflow: Any) -> None:
        Path("bin.yaml").write_text("a: 1")
        result = waterflow("run", "missing.yaml")
        assert (result.code, result.err) == (2, "error: the file 'missing.yaml' does not exist\n")

    def test_a_directory_that_does_not_exist(self, waterflow: Any) -> None:
        result = waterflow("run", "no/flow.yaml")
        assert result.err == "error: the file 'no/flow.yaml' does not exist\nhint: there is no directory 'no'\n"

    def test_a_name_with_a_null(self, waterflow: Any) -> None:
        result = waterflow("run", "a\0b")
        assert (result.code, result.err) == (2, "error: the file 'a\\x00b' cannot be read: embedded null byte\n")


class TestInvalid:
    @pytest.mark.parametrize(
        ("text", "first"),
        [
            ("", "flow.yaml:1:1: error"),
            ("- a\n- b\n", "flow.yaml:1:1: error"),
            ("jobs: {a: [}", "flow.yaml:1:"),
            ("jobs: {a: {stps: [{run: x}]}}", "flow.yaml:1:"),
            ("jobs: {a: {needs: a, steps: [{run: x}]}}", "flow.yaml:1:"),
        ],
        ids=["empty", "a list", "not YAML", "unknown key", "a job that needs itself"],
    )
    def test_diagnostics_and_then_the_error(self, waterflow: Any, text: str, first: str) -> None:
        Path("flow.yaml").write_text(text)
        result = waterflow("run", "flow.yaml")
        assert result.code == 2
        assert result.err.startswith(first)
        assert result.err.rstrip().endswith("nothing was started")
        assert result.out == ""
