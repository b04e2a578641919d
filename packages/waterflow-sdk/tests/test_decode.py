"""JSON at the border, from several threads: clients of an application that has many."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from waterflow_sdk.wire import AgentRef, decode

THREADS = """
import sys, threading, types
import msgspec
from waterflow_sdk.wire import decode

COUNT = 60
source = "import msgspec\\nfrom typing import Optional\\n"
for number in range(COUNT):
    source += f"class S{number}(msgspec.Struct):\\n    next: 'Optional[S{number + 1}]' = None\\n"
source += f"class S{COUNT}(msgspec.Struct):\\n    last: int = 0\\n"
module = sys.modules["chain"] = types.ModuleType("chain")
exec(source, module.__dict__)
sys.setswitchinterval(1e-6)
gate = threading.Barrier(4)

def work():
    gate.wait()
    assert decode(b'{"next": {"next": {}}}', module.S0).next.next.next is None

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_what_does_not_fit_says_where() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"Expected `str`, got `int` - at `\$\[0\]\.id`"):
        decode(b'[{"id": 1}]', list[AgentRef])


def test_threads_may_be_the_first_to_use_a_struct_at_once() -> None:
    """With msgspec alone, this process ends with SIGSEGV nearly every time."""
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
