"""The plug-in directory: what counts as a node, what is left alone, and what broken files do."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from waterflow_agent._plugins import Discovery, _contained
from waterflow_agent._registry import NodeRegistry

from .conftest import NODE, Plugins

FUNCTION = '''
from waterflow_sdk.node import node

@node(name="demo/greet", version="1.0.0")
def greet(ctx, times: int = 1) -> dict[str, str]:
    """Says a word."""
    return {"word": "hello" * times}
'''

REGISTER = (
    NODE.format(name="demo/greet", version="1.0.0", word="hello")
    + "\ndef register(registry):\n    registry.add(Greet)\n"
)

BROKEN = [
    ("raise RuntimeError('no\\nway')", "RuntimeError: no way"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt:"),
    ("x = 1 +", "SyntaxError: invalid syntax (demo.py, line 1)"),
    ("x = '\0'", "SyntaxError: source code string cannot contain null bytes"),
    ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    (
        "x = 1",
        "NotANode: it has no node: no public subclass of Node with a name, no decorated function, no register()",
    ),
    (
        NODE.format(name="Demo", version="1.0.0", word=""),
        "InvalidNode: Demo: name 'Demo' must be lower case words with / between them, such as slack/notify",
    ),
    (
        NODE.format(name="demo/greet", version="1.0.0", word="") + "    interface = '2.0'\n",
        "IncompatibleNode: demo/greet: it was made for node interface 2.0, this waterflow-sdk has 1.0; "
        "install a version of its package that supports interface 1",
    ),
]


class TestWhatIsFound:
    @pytest.mark.parametrize("path", ["demo.py", "core/demo.py", "custom/demo.py", "custom/demo/__init__.py"])
    def test_files_and_packages_in_the_directory_and_in_core_and_custom(self, plugins: Plugins, path: str) -> None:
        plugins.node(path)
        assert plugins.refresh()
        assert plugins.word() == "hello"
        assert plugins.reasons == []

    @pytest.mark.parametrize("source", [FUNCTION, REGISTER], ids=["function", "register"])
    def test_decorated_functions_and_register(self, plugins: Plugins, source: str) -> None:
        plugins.write("demo.py", source)
        plugins.refresh()
        assert plugins.word() == "hello"

    def test_the_file_is_the_nodes_distribution(self, plugins: Plugins) -> None:
        plugins.node("custom/demo.py")
        plugins.refresh()
        found = plugins.registry.get("demo/greet")
        assert found is not None
        assert found.manifest.distribution == "custom/demo.py"

    def test_a_package_with_modules_that_import_each_other(self, plugins: Plugins) -> None:
        plugins.write("demo/words.py", "WORD = 'from words'\n")
        plugins.write(
            "demo/__init__.py",
            "from .words import WORD\n" + NODE.replace('"{word}"', "WORD").format(name="demo/greet", version="1.0.0"),
        )
        plugins.refresh()
        assert plugins.word() == "from words"

    def test_two_files_of_one_name_do_not_clash(self, plugins: Plugins) -> None:
        plugins.node("core/demo.py", "one", "1")
        plugins.node("custom/demo.py", "two", "2")
        plugins.refresh()
        assert (plugins.word("one"), plugins.word("two")) == ("1", "2")

    @pytest.mark.parametrize(
        "path", ["_helper.py", ".hidden.py", "demo.py~", "demo.txt", "folder/demo.py", "__pycache__/demo.py"]
    )
    def test_what_is_left_alone(self, plugins: Plugins, path: str) -> None:
        plugins.node(path)
        plugins.refresh()
        assert plugins.registry.names == []
        assert plugins.reasons == []

    def test_imported_nodes_and_base_classes_are_not_offered_again(self, plugins: Plugins) -> None:
        plugins.write(
            "demo.py",
            "from waterflow_sdk.node import Node\nclass Base(Node):\n    '''Base.'''\n"
            + NODE.format(name="demo/greet", version="1.0.0", word="hello").replace("(Node)", "(Base)"),
        )
        plugins.refresh()
        assert plugins.registry.names == ["demo/greet"]
        assert plugins.reasons == []

    def test_a_directory_that_does_not_exist(self, tmp_path: Path) -> None:
        registry = NodeRegistry()
        assert not asyncio.run(Discovery(registry, tmp_path / "nowhere").refresh())


class TestBroken:
    @pytest.mark.parametrize(("source", "reason"), BROKEN)
    def test_is_reported_and_harms_no_other(self, plugins: Plugins, source: str, reason: str) -> None:
        plugins.write("demo.py", source)
        plugins.node("good.py", "good")
        assert plugins.refresh()
        assert plugins.registry.names == ["good"]
        assert plugins.reasons == [("demo.py", reason)]

    @pytest.mark.parametrize(("source", "reason"), BROKEN)
    def test_keeps_the_former_version_alive(self, plugins: Plugins, source: str, reason: str) -> None:
        plugins.node("demo.py")
        plugins.refresh()
        plugins.write("demo.py", source)
        assert plugins.refresh()
        assert plugins.word() == "hello"
        assert plugins.reasons == [("demo.py", reason)]

    def test_its_traceback_names_the_line(self, plugins: Plugins) -> None:
        file = plugins.write("demo.py", "\n\nraise RuntimeError('no')\n")
        plugins.refresh()
        (broken,) = plugins.registry.broken
        assert f'File "{file}", line 3, in <module>' in broken.traceback

    def test_put_right_it_is_used(self, plugins: Plugins) -> None:
        plugins.write("demo.py", "x = 1 +")
        plugins.refresh()
        plugins.node("demo.py")
        assert plugins.refresh()
        assert plugins.word() == "hello"
        assert plugins.reasons == []

    def test_a_broken_module_of_a_package_runs_nothing_of_it(self, plugins: Plugins, tmp_path: Path) -> None:
        plugins.write("demo/__init__.py", f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
        plugins.write("demo/later.py", "x = 1 +")
        plugins.refresh()
        assert plugins.reasons == [("demo", "SyntaxError: invalid syntax (later.py, line 1)")]
        assert not (tmp_path / "ran").exists()

    def test_one_that_never_ends_is_stopped(self, plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_contained.contained, "__defaults__", (0.3,))
        plugins.write("demo.py", "while True:\n    pass\n")
        plugins.node("good.py", "good")
        plugins.refresh()
        assert plugins.registry.names == ["good"]
        assert plugins.reasons == [("demo.py", "it was not loaded within 0.3 s and was stopped")]

    def test_what_it_prints_is_logged(
        self, plugins: Plugins, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        plugins.write("demo.py", NODE.format(name="demo/greet", version="1.0.0", word="hello") + "print('I am here')\n")
        with caplog.at_level(logging.WARNING, "waterflow.agent"):
            plugins.refresh()
        assert caplog.messages == ["demo.py printed while it was loaded: I am here"]
        assert capsys.readouterr().out == ""
        assert plugins.word() == "hello"


class TestConflicts:
    def test_at_the_start_neither_is_used(self, plugins: Plugins) -> None:
        plugins.node("a.py")
        plugins.node("b.py")
        plugins.refresh()
        assert plugins.registry.names == []
        assert plugins.reasons == [
            ("b.py", "node 'demo/greet' is claimed by a.py and by b.py; neither is used: remove one")
        ]

    def test_a_newcomer_does_not_take_the_name(self, plugins: Plugins) -> None:
        plugins.node("b.py")
        plugins.refresh()
        plugins.node("a.py", word="other")
        plugins.refresh()
        assert plugins.word() == "hello"
        assert plugins.reasons == [
            ("a.py", "node 'demo/greet' is claimed by b.py and by a.py; b.py stays in use: remove one")
        ]

    def test_it_gets_the_name_when_the_other_is_gone(self, plugins: Plugins) -> None:
        plugins.node("b.py")
        plugins.refresh()
        plugins.node("a.py", word="other")
        plugins.refresh()
        (plugins.root / "b.py").unlink()
        plugins.refresh()
        assert plugins.word() == "other"
        assert plugins.reasons == []

    def test_within_one_file(self, plugins: Plugins) -> None:
        source = NODE.format(name="demo/greet", version="1.0.0", word="hello")
        plugins.write("a.py", source + source.replace("class Greet", "class Again"))
        plugins.refresh()
        assert plugins.reasons == [("a.py", "node 'demo/greet' is there twice in a.py; the first is used: remove one")]
