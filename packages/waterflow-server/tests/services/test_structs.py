"""Structs are known to msgspec before threads use them: what is built late, several threads would build at once."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec

from waterflow_sdk.codec import PayloadCodec
from waterflow_server._converter import data_converter
from waterflow_server._structs import build_structs


def chain() -> type[Any]:
    """A struct with another one in it, whose name is known only until this returns."""
    names: dict[str, Any] = {"__name__": __name__, "msgspec": msgspec}
    source = "class Inner(msgspec.Struct):\n    x: int\n\nclass Outer(msgspec.Struct):\n    inner: 'Inner'\n"
    exec(source, names)
    outer = names["Outer"]
    sys.modules[__name__].__dict__["Inner"] = names["Inner"]
    return outer


THREADS = """
import sys, threading, types
import msgspec
from waterflow_server._structs import build_structs

COUNT = 60
source = "import msgspec\\nfrom typing import Optional\\n"
for number in range(COUNT):
    source += f"class S{number}(msgspec.Struct):\\n    next: 'Optional[S{number + 1}]' = None\\n"
source += f"class S{COUNT}(msgspec.Struct):\\n    last: int = 0\\n"
module = sys.modules["chain"] = types.ModuleType("chain")
exec(source, module.__dict__)
build_structs()
sys.setswitchinterval(1e-6)
gate = threading.Barrier(4)

def decode():
    gate.wait()
    msgspec.json.decode(b'{"next": {"next": {}}}', type=module.S0)

threads = [threading.Thread(target=decode) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


class TestBuild:
    def test_what_is_built_needs_no_names_any_more(self) -> None:
        outer = chain()
        build_structs()
        del sys.modules[__name__].__dict__["Inner"]
        assert msgspec.json.decode(b'{"inner": {"x": 1}}', type=outer).inner.x == 1

    def test_the_data_converter_does_it_before_any_worker_runs(self) -> None:
        outer = chain()
        data_converter(PayloadCodec())
        del sys.modules[__name__].__dict__["Inner"]
        assert msgspec.json.decode(b'{"inner": {"x": 1}}', type=outer).inner.x == 1

    def test_threads_may_then_use_them_at_once(self) -> None:
        """Without it, this process ends with SIGSEGV nearly every time."""
        done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
