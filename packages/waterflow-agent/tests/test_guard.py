"""What would end the agent's process raises in it, and is as ever in a process that is forked from it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from waterflow_agent._guard import no_exit
try:
    with no_exit():
        {call}
except SystemExit as error:
    print(error)
sys.stdout.flush()
os._exit(0)  # as ever
"""


def run(call: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-W", "ignore", "-c", PROGRAM.format(call=call)]
    return subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)


class TestForbidden:
    @pytest.mark.parametrize(
        ("call", "name"),
        [
            ("os._exit(3)", "_exit"),
            ("os.abort()", "abort"),
            ("os.execv('/bin/true', ['true'])", "execv"),
            ("os.execvp('true', ['true'])", "execv"),
            ("os.execle('/bin/true', 'true', {})", "execve"),
        ],
    )
    def test_raises(self, call: str, name: str) -> None:
        done = run(call)
        assert done.stdout == f"os.{name} would end the whole agent; raise an error or return instead\n"
        assert done.returncode == 0

    @pytest.mark.parametrize(("call", "code"), [("os._exit(3)", 3), ("os.execvp('false', ['false'])", 1)])
    def test_a_forked_process_may(self, call: str, code: int) -> None:
        forked = f"pid = os.fork(); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) if pid else {call}"
        assert run(forked).stdout == f"{code}\n"

    def test_multiprocessing_works(self) -> None:
        work = "import multiprocessing as m; p = m.get_context('fork').Process(target=sys.exit, args=(5,)); p.start()"
        assert run(f"{work}; p.join(); print(p.exitcode)").stdout == "5\n"
