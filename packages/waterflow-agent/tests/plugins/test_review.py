"""``waterflow-agent check``: what an agent would make of a plug-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from waterflow_agent.commands import main

from .conftest import Plugins

MANIFEST = """
name: disk/usage
version: 1.0.0
description: Tells how full it is.
command: [./run]
inputs: {properties: {path: {type: string, description: Where.}}}
examples: [{title: All, yaml: "- uses: disk/usage"}]
"""


def check(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Exit code and lines."""
    code = main(["check", str(path)], "waterflow-agent")
    return code, capsys.readouterr().out.splitlines()


class TestGood:
    def test_a_folder_with_a_manifest(self, plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
        plugins.write("disk/node.yaml", MANIFEST)
        plugins.write("disk/run", "#!/bin/sh\n", executable=True)
        assert check(plugins.root / "disk", capsys) == (0, ["disk/usage 1.0.0: an agent can use it"])

    def test_what_could_be_better_is_said(self, plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
        file = plugins.node("greet.py")
        lines = ["demo/greet 1.0.0: an agent can use it", "  better: it has no examples"]
        assert check(file, capsys) == (0, lines)


class TestBroken:
    def test_code_that_raises_with_its_traceback(self, plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
        code, lines = check(plugins.write("bad.py", "x = 1\nraise KeyError('no')\n"), capsys)
        assert (code, lines[0], lines[-1]) == (1, "error: bad.py: KeyError: 'no'", "KeyError: 'no'")
        assert any("line 2, in <module>" in line for line in lines)

    def test_a_manifest(self, plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
        text = MANIFEST.replace("type: string", "type: strng").replace("./run", "echo")
        code, lines = check(plugins.write("disk/node.yaml", text), capsys)
        assert code == 1
        assert lines[0].startswith(
            "error: disk/usage: InvalidNode: disk/usage: inputs.properties.path.type must be one or several of array"
        )

    def test_what_is_none(self, plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
        file = plugins.write("notes.txt", "")
        kinds = "a .py file, a Python package, a folder with a node.yaml, or a manifest"
        assert check(file, capsys) == (1, [f"error: {file} is no plug-in: {kinds} is one"])
        gone = plugins.root / "gone"
        assert check(gone, capsys) == (1, [f"error: no file {gone}"])

    @pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--all"]])
    def test_wrong_arguments(self, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
        assert main(["check", *arguments], "waterflow-agent") == 2
        assert capsys.readouterr().err == "error: check needs one file or folder\n"
