"""Code that ends the whole process: tried in another one, and remembered by a note where it has ended the agent."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from waterflow_agent._plugins import Caution, Discovery
from waterflow_agent._plugins._caution import MOST_DEATHS
from waterflow_agent._registry import NodeRegistry

from .conftest import NODE, Plugins

GOOD = NODE.format(name="demo/greet", version="1.0.0", word="hello")
CRASH = "import ctypes\nctypes.string_at(0)\n"
ENDINGS = [
    pytest.param(CRASH, "SIGSEGV", id="a crash in C"),
    pytest.param("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "SIGKILL", id="killed"),
    pytest.param("import ctypes\nctypes.CDLL(None)._exit(0)\n", "exit code 0", id="exit of C"),
]

START = """
import asyncio, sys
from pathlib import Path
from waterflow_agent._plugins import Caution, Discovery
from waterflow_agent._registry import NodeRegistry
registry = NodeRegistry()
discovery = Discovery(registry, Path(sys.argv[1]), caution=Caution(Path(sys.argv[2])))
asyncio.run(discovery.refresh())
print(registry.names, [broken.reason for broken in registry.broken])
"""


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """Where an agent notes what it loads."""
    return tmp_path / "state" / "loading.json"


@pytest.fixture
def running(plugins: Plugins, note: Path) -> Plugins:
    """The plug-ins of an agent that runs steps."""
    caution = Caution(note)
    caution.trying = True
    plugins.discovery = Discovery(plugins.registry, plugins.root, caution=caution)
    return plugins


def start(plugins: Plugins, note: Path) -> subprocess.CompletedProcess[str]:
    """An agent that looks for its nodes at its start, in a process of its own: it may not survive."""
    words = [sys.executable, "-c", START, str(plugins.root), str(note)]
    return subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)


def until_ended(pid: str) -> None:
    """Waits for a process that was killed; one that nobody has collected yet is as good as gone."""
    deadline = time.monotonic() + 60
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
            assert time.monotonic() < deadline, f"process {pid} runs on"
            time.sleep(0.01)


class TestWhileStepsRun:
    @pytest.mark.parametrize(("source", "how"), ENDINGS)
    def test_it_is_reported_and_the_old_version_stays(self, running: Plugins, source: str, how: str) -> None:
        running.node("demo.py")
        running.refresh()
        running.write("demo.py", source)
        assert running.refresh()
        assert running.word() == "hello"
        assert running.reasons == [("demo.py", f"it ended the process that tried to load it ({how})")]

    def test_os_exit_is_reported_with_its_line(self, running: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(status: int) -> None:  # as the agent has it, see TestForbidden
            raise SystemExit(f"no {status}")

        monkeypatch.setattr("os._exit", forbidden)
        running.write("demo.py", "import os\n\nos._exit(7)\n")
        running.refresh()
        assert running.reasons == [("demo.py", "SystemExit: no 7")]
        assert 'demo.py", line 3, in <module>' in running.registry.broken[0].traceback

    def test_one_that_never_ends_is_not_even_begun(
        self, running: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waterflow_agent._plugins._caution.LIMIT", 1.0)
        pids = tmp_path / "pids"
        pids.touch()  # on a very busy machine, the process may not even come so far
        running.write("demo.py", f"import os\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')\nwhile True: pass\n")
        running.refresh()
        assert running.reasons == [("demo.py", "it was not loaded within 1 s and was stopped")]
        for pid in pids.read_text().split():
            until_ended(pid)

    def test_what_it_started_ends_with_the_trial(self, running: Plugins, tmp_path: Path) -> None:
        pids = tmp_path / "pids"
        script = f"echo $$ >> {pids}; exec sleep 60"
        begin = f"import subprocess, time\nsubprocess.Popen(['sh', '-c', {script!r}])\n"
        wait = f"from pathlib import Path\nwhile not Path({str(pids)!r}).exists(): time.sleep(0.01)\n"
        running.write("demo.py", begin + wait + CRASH)
        running.refresh()
        assert running.reasons == [("demo.py", "it ended the process that tried to load it (SIGSEGV)")]
        until_ended(pids.read_text().strip())

    @pytest.mark.parametrize("source", [GOOD, GOOD + "print('I am here')\n"], ids=["quiet", "prints"])
    def test_good_code_is_used_and_no_note_is_left(self, running: Plugins, note: Path, source: str) -> None:
        running.write("demo.py", source)
        running.refresh()
        assert running.word() == "hello"
        assert not note.exists()

    def test_what_it_raises_is_reported_as_ever(self, running: Plugins) -> None:
        running.write("demo.py", "raise RuntimeError('no')\n")
        running.refresh()
        assert running.reasons == [("demo.py", "RuntimeError: no")]

    def test_the_next_start_survives_it_as_well(self, running: Plugins, note: Path) -> None:
        running.write("demo.py", CRASH)
        running.refresh()
        started = start(running, note)
        assert started.stdout == "[] ['it ended the process that tried to load it (SIGSEGV)']\n"

    def test_without_a_process_to_try_it_in_it_is_loaded(
        self, running: Plugins, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        running.node("demo.py")
        running.refresh()
        assert running.word() == "hello"
        assert "demo.py is loaded without a trial in another process" in caplog.text


class TestAtTheStart:
    def test_it_ends_one_start_and_no_other(self, plugins: Plugins, note: Path) -> None:
        plugins.write("demo.py", CRASH)
        plugins.node("good.py", "good")
        assert start(plugins, note).returncode == -11
        for _ in range(2):
            again = start(plugins, note)
            assert again.stdout == "['good'] ['it ended the process that tried to load it (SIGSEGV)']\n"
        plugins.write("demo.py", GOOD)
        assert start(plugins, note).stdout == "['demo/greet', 'good'] []\n"
        assert not note.exists()

    def test_an_innocent_one_is_used_again(self, plugins: Plugins, note: Path) -> None:
        """A loss of power while it was loaded says nothing about it."""
        plugins.node("demo.py")
        with Caution(note).loading(plugins.unit("demo.py")):
            assert note.exists()
            left = note.read_bytes()
        note.write_bytes(left)
        assert start(plugins, note).stdout == "['demo/greet'] []\n"
        assert not note.exists()

    def test_one_that_spares_the_trial_is_left_alone_in_the_end(self, plugins: Plugins, note: Path) -> None:
        plugins.write("demo.py", "import sys\nif len(sys.argv) == 3:\n    import ctypes\n    ctypes.string_at(0)\n")
        for _ in range(MOST_DEATHS):
            assert start(plugins, note).returncode == -11
        reason = "the agent has died 3 times while it was loaded; it is left alone until it changes"
        assert start(plugins, note).stdout == f"[] ['{reason}']\n"
        plugins.write("demo.py", GOOD)
        assert start(plugins, note).stdout == "['demo/greet'] []\n"

    @pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[1]", b'{"demo.py": 1}'])
    def test_an_unreadable_note_is_none(self, plugins: Plugins, note: Path, content: bytes) -> None:
        note.parent.mkdir()
        note.write_bytes(content)
        plugins.node("demo.py")
        assert start(plugins, note).stdout == "['demo/greet'] []\n"

    def test_a_note_that_cannot_be_written_hinders_nothing(self, plugins: Plugins, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        registry = NodeRegistry()
        plugins.node("demo.py")
        asyncio.run(Discovery(registry, plugins.root, caution=Caution(tmp_path / "file" / "note")).refresh())
        assert registry.names == ["demo/greet"]

    def test_the_note_names_what_is_loaded(self, plugins: Plugins, note: Path) -> None:
        plugins.write("demo.py", CRASH)
        start(plugins, note)
        (key,) = msgspec.json.decode(note.read_bytes())
        assert key == "demo.py"
