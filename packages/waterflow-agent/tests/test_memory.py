"""Giving memory back must never take away what is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from waterflow_agent import _memory
from waterflow_agent._memory import Rest, _unmodified_library_pages

SMAPS = """\
00400000-0041f000 r--p 00000000 fe:00 24 /usr/bin/python3.11
Anonymous:             0 kB
7f0000000000-7f0000400000 r-xp 00465000 fe:00 10 /opt/lib/bridge.so
Rss:               11344 kB
Anonymous:             0 kB
7f0000400000-7f0000500000 r--p 00865000 fe:00 10 /opt/lib/bridge.so
Anonymous:           404 kB
7f0000500000-7f0000600000 rw-p 00965000 fe:00 10 /opt/lib/bridge.so
Anonymous:             0 kB
7f0000600000-7f0000700000 r-xp 00000000 00:00 0
Anonymous:             0 kB
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
"""


class TestLibraryPages:
    def test_only_read_only_files_without_a_modified_page(self) -> None:
        assert list(_unmodified_library_pages(SMAPS)) == [(0x400000, 0x41F000), (0x7F0000000000, 0x7F0000400000)]

    def test_a_process_goes_on_afterwards(self) -> None:
        code = (
            "import waterflow_agent._main as m; from waterflow_agent._memory import give_back, keep_heap_small;"
            "keep_heap_small(); give_back(); give_back();"
            "import hashlib, ssl; ssl.create_default_context(); print(len(hashlib.sha256(b'on').hexdigest()))"
        )
        assert subprocess.check_output([sys.executable, "-c", code], text=True) == "64\n"


class TestRest:
    """Asked every minute: seconds of processor time in each, and whether memory is given back after it."""

    @pytest.mark.parametrize(
        ("minutes", "given"),
        [
            ([0.2, 0.2], [False, False]),
            ([30.0, 0.2, 0.2], [False, True, False]),
            ([30.0, 30.0, 0.2], [False, False, True]),
        ],
        ids=["nothing was done", "work that is over", "work that goes on for a while"],
    )
    def test_gives_back_once_when_work_is_over(
        self, monkeypatch: pytest.MonkeyPatch, minutes: list[float], given: list[bool]
    ) -> None:
        now, used = [100.0], [5.0]
        calls: list[str] = []
        monkeypatch.setattr("waterflow_agent._memory.time.monotonic", lambda: now[0])
        monkeypatch.setattr("waterflow_agent._memory.time.process_time", lambda: used[0])
        monkeypatch.setattr(_memory, "give_back", lambda: calls.append("given"))
        rest, answers = Rest(), list[bool]()
        for worked in minutes:
            now[0], used[0] = now[0] + 60, used[0] + worked
            answers.append(rest.give_back())
        assert answers == given
        assert len(calls) == given.count(True)
