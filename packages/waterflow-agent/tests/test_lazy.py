"""A lazy module is the module itself, only later; and an agent has just those that it does not need."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from waterflow_agent._lazy import LAZY, make_lazy, unused

STARTED = "import sys; from waterflow_agent._lazy import make_lazy, unused; make_lazy();"
"""As the command does it, before anything else is imported."""

of_debian = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other versions of Python import other modules")


@pytest.fixture
def lazy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of modules; those called ``later``, ``later_package`` and ``broken`` are lazy."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    make_lazy(frozenset({"later", "later_package", "broken"}))
    importlib.invalidate_caches()
    return tmp_path


class TestUse:
    def test_an_import_runs_nothing_and_the_first_use_runs_the_code_once(
        self, lazy: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (lazy / "later.py").write_text("print('runs')\nname = 'value'\n")
        module = importlib.import_module("later")
        assert importlib.import_module("later") is module
        assert module.__name__ == "later"
        assert "later" in unused()
        assert capsys.readouterr().out == ""
        assert (module.name, module.name) == ("value", "value")
        assert capsys.readouterr().out == "runs\n"
        assert "later" not in unused()
        assert type(module) is ModuleType

    def test_names_may_be_taken_from_it(self, lazy: Path) -> None:
        (lazy / "later.py").write_text("name = 'value'\n")
        (lazy / "user.py").write_text("from later import name\n")
        assert importlib.import_module("user").name == "value"

    def test_what_is_set_stays(self, lazy: Path) -> None:
        (lazy / "later.py").write_text("name = 'value'\n")
        module = importlib.import_module("later")
        module.name = "another"  # type: ignore[attr-defined]
        assert module.name == "another"

    def test_its_names_are_listed(self, lazy: Path) -> None:
        (lazy / "later.py").write_text("name = 'value'\n")
        assert "name" in dir(importlib.import_module("later"))

    def test_a_name_that_it_does_not_have(self, lazy: Path) -> None:
        (lazy / "later.py").touch()
        with pytest.raises(AttributeError, match=r"^module 'later' has no attribute 'nothing'$"):
            _ = importlib.import_module("later").nothing

    def test_a_submodule_is_imported_without_it(self, lazy: Path) -> None:
        (lazy / "later_package").mkdir()
        (lazy / "later_package" / "__init__.py").write_text("from .inner import value\n")
        (lazy / "later_package" / "inner.py").write_text("value = 1\n")
        inner = importlib.import_module("later_package.inner")
        assert "later_package" in unused()
        package = importlib.import_module("later_package")
        assert (package.value, package.inner) == (1, inner)

    def test_code_that_fails_says_so_at_every_use(self, lazy: Path) -> None:
        (lazy / "broken.py").write_text("raise ImportError('no such library')\n")
        module = importlib.import_module("broken")
        for _ in range(2):
            with pytest.raises(ImportError, match=r"^no such library$"):
                _ = module.name

    def test_another_thread_waits_until_the_code_has_run(self, lazy: Path) -> None:
        (lazy / "later.py").write_text("import gate\ngate.begun.set()\ngate.open.wait(30)\nname = 'value'\n")
        (lazy / "gate.py").write_text("import threading\nbegun, open = threading.Event(), threading.Event()\n")
        module, gate = importlib.import_module("later"), importlib.import_module("gate")
        seen: list[str] = []
        threads = [threading.Thread(target=lambda: seen.append(module.name)) for _ in range(2)]
        threads[0].start()
        assert gate.begun.wait(30)
        threads[1].start()
        gate.open.set()
        for thread in threads:
            thread.join(30)
        assert seen == ["value", "value"]


class TestList:
    @of_debian
    def test_an_agent_uses_none_of_them_to_start(self) -> None:
        code = f"{STARTED} import waterflow_agent._main; print(sorted({set(LAZY)} & set(sys.modules) - set(unused())))"
        assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"

    @of_debian
    def test_an_agent_imports_each(self) -> None:
        """Fails for a name that the SDK or Python no longer has, or no longer imports by itself."""
        code = f"{STARTED} import waterflow_agent._main, waterflow_agent._logs._shipper; print(*unused())"
        given = subprocess.check_output([sys.executable, "-c", code], text=True)
        assert given.split() == sorted(LAZY)

    def test_each_works_when_it_is_used(self) -> None:
        code = (
            f"{STARTED} import importlib, waterflow_agent._main;"
            f"used = {{name: dir(importlib.import_module(name)) for name in {sorted(LAZY)}}};"
            "print(unused(), [name for name, found in used.items() if all(each.startswith('_') for each in found)])"
        )
        assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[] []\n"

    def test_what_was_imported_before_stays_as_it_is(self) -> None:
        code = f"import ssl; {STARTED} print(type(ssl) is type(sys), 'ssl' in unused())"
        assert subprocess.check_output([sys.executable, "-c", code], text=True) == "True False\n"
