"""Commands that other distributions bring by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from waterflow_cli import ExitCode


class TestInstalled:
    def test_the_command_gets_its_arguments_and_gives_the_exit_code(self, waterflow: Any, distribution: Any) -> None:
        distribution("greeter", "greet", "def main(argv):\n    print(argv)\n    return 7\n")
        result = waterflow("greet", "--help", "-x", "a b", "--", "--y")
        assert (result.code, result.out) == (7, "['--help', '-x', 'a b', '--', '--y']\n")

    def test_a_dot_puts_it_into_a_group(self, waterflow: Any, distribution: Any) -> None:
        distribution("nodetool", "node.lint", "def main(argv):\n    print('lint', argv)\n    return 0\n")
        assert waterflow("node", "lint", "slack").out == "lint ['slack']\n"
        assert "lint  From nodetool." in waterflow("node", "--help").out

    def test_listing_imports_nothing(self, waterflow: Any, distribution: Any) -> None:
        distribution("noisy", "noisy", "raise SystemExit('imported')\n")
        result = waterflow("--help")
        assert result.code == 0
        assert "From noisy." in result.out


class TestBroken:
    def test_it_says_so_and_the_others_work(self, waterflow: Any, distribution: Any) -> None:
        distribution("broken", "broken", "import no_such_module_anywhere\n")
        result = waterflow("broken")
        assert (result.code, result.err) == (
            ExitCode.DEFECT,
            "error: the command 'broken' of broken cannot be loaded: "
            "ModuleNotFoundError: No module named 'no_such_module_anywhere'\n"
            "hint: install broken again or remove it; the other commands work\n",
        )
        assert waterflow("completion", "fish").code == 0

    def test_what_is_no_function(self, waterflow: Any, distribution: Any) -> None:
        distribution("wrong", "wrong", "main = 3\n")
        assert waterflow("wrong").err.startswith(
            "error: the command 'wrong' of wrong cannot be loaded: wrong_commands:main is not a function\n"
        )


class TestMissing:
    @pytest.mark.parametrize(
        ("argv", "name", "package"),
        [
            (["dev"], "dev", "waterflow-server"),
            (["server", "start", "--port", "1"], "server", "waterflow-server"),
            (["agent", "start"], "agent start", "waterflow-agent"),
        ],
    )
    def test_a_well_known_one_names_its_package(
        self, waterflow: Any, monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str, package: str
    ) -> None:
        nothing: tuple[EntryPoint, ...] = ()
        monkeypatch.setattr("waterflow_cli._plugins.entry_points", lambda **_: nothing)
        result = waterflow(*argv)
        assert (result.code, result.err) == (
            2,
            f"error: `waterflow {name}` comes with {package}, which is not installed\nhint: pip install {package}\n",
        )
