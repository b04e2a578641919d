"""--var, --input, --secret, --label."""

from __future__ import annotations

import io
from typing import Any

import pytest

from waterflow_cli._errors import CliError
from waterflow_cli._values import pairs, secrets
from waterflow_sdk.wire import SubmitRequest

HINT = (
    "write --secret NAME to take it from the environment variable NAME, NAME=env:OTHER from another one, "
    "or NAME=- from standard input"
)


class TestPairs:
    @pytest.mark.parametrize(
        ("text", "name", "value"),
        [
            ("a=b", "a", "b"),
            ("a=", "a", ""),
            ("a=b=c", "a", "b=c"),
            ("version=1.10", "version", "1.10"),
            ("n:=3", "n", 3),
            ('l:=[1,"x"]', "l", [1, "x"]),
            ("t:=true", "t", True),
            ("u=:=", "u", ":="),
        ],
    )
    def test_text_and_json(self, text: str, name: str, value: Any) -> None:
        assert pairs("--var", [text]) == {name: value}

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (["a"], "--var 'a' is not of the form NAME=VALUE"),
            (["=b"], "--var '=b' is not of the form NAME=VALUE"),
            (["a=1", "a=2"], "--var a is given twice"),
            (["a:=x"], "--var a:= is not JSON: JSON is malformed: invalid character (byte 0)"),
        ],
    )
    def test_what_is_wrong(self, given: list[str], message: str) -> None:
        with pytest.raises(CliError) as caught:
            pairs("--var", given)
        assert caught.value.message == message


class TestSecrets:
    def test_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOKEN", "t0")
        monkeypatch.setenv("OTHER", "o0")
        assert secrets(["TOKEN", "PASSWORD=env:OTHER"]) == {"TOKEN": "t0", "PASSWORD": "o0"}

    def test_from_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("s3cret\n"))
        assert secrets(["TOKEN=-"]) == {"TOKEN": "s3cret"}

    def test_a_value_on_the_command_line_is_refused_and_not_repeated(self) -> None:
        with pytest.raises(CliError) as caught:
            secrets(["TOKEN=s3cret"])
        assert caught.value.message == (
            "the value of the secret TOKEN must not be on the command line, where every user of this machine sees it"
        )
        assert caught.value.hint == HINT

    def test_one_that_is_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        with pytest.raises(CliError) as caught:
            secrets(["NOT_SET"])
        assert caught.value.message == "the secret NOT_SET is not set: there is no environment variable NOT_SET"


class TestSubmitted:
    def test_all_of_them_reach_the_server(
        self, waterflow: Any, server: Any, answers: Any, hello: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers()
        monkeypatch.setenv("TOKEN", "t0")
        given = ["--var", "app=shop", "--var", "n:=3", "--input", "v=1", "--secret", "TOKEN", "--label", "x"]
        result = waterflow("submit", hello, *given, "--server", server.url)
        assert (result.code, result.out, result.err) == (0, "r1\n", "")
        sent = server.body("POST /v1/workflows", SubmitRequest)
        assert (sent.vars, sent.inputs, sent.secrets, sent.labels) == (
            {"app": "shop", "n": 3},
            {"v": "1"},
            {"TOKEN": "t0"},
            ["x"],
        )
        assert sent.filename == hello
