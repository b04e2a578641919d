"""Running code of strangers in a process of its own first: what ends that one would have ended the agent.

:func:`main` is that process: what it is to load comes as JSON on its command line, and it says :data:`SURVIVED` on its
standard output if it is still there afterwards. What the code raises is no matter here: the agent runs it again, and
reports that with its traceback.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import msgspec

from ._unit import Unit

SURVIVED = b"survived"

_ENTRY = "from waterflow_agent._plugins._trial import main; main()"


async def try_out(unit: Unit, limit: float) -> str:
    """Loads a unit in another process for at most ``limit`` seconds. Why it must not be loaded here; empty if it may.

    Raises OSError if no process can be started.
    """
    if not unit.code or not sys.executable:  # without: Python is embedded in another program
        return ""
    what = str(unit.code) if isinstance(unit.code, Path) else unit.code
    told = msgspec.json.encode({"path": sys.path, "code": what}).decode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"import json, sys; sys.path[:] = json.loads(sys.argv[1])['path']; {_ENTRY}", told),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit):
            said, _ = await process.communicate()
    except TimeoutError:
        return f"it was not loaded within {limit:g} s and was stopped"
    finally:
        with contextlib.suppress(ProcessLookupError):  # nothing that it started stays
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return "" if said == SURVIVED else f"it ended the process that tried to load it ({_how(process.returncode or 0)})"


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def main() -> None:
    """The program. What the plug-in prints goes nowhere; the agent logs it when it loads it itself."""
    from .._guard import no_exit

    answer = os.dup(1)
    os.dup2(2, 1)  # which nobody reads
    _be_the_first_to_go()
    code = msgspec.json.decode(sys.argv[1])["code"]
    # What calls os._exit is reported by the agent, with the line.
    with no_exit(), contextlib.suppress(BaseException):
        _load(code)
    os.write(answer, SURVIVED)
    os.kill(os.getpid(), signal.SIGKILL)  # neither threads nor handlers at exit may keep it


def _load(code: str | list[str]) -> None:
    if isinstance(code, str):
        from ._python import load_python

        load_python(Path(code))
        return
    import importlib

    for value in code:
        with contextlib.suppress(BaseException):
            importlib.import_module(value.partition(":")[0])


def _be_the_first_to_go() -> None:
    """proc(5), oom_score_adj: where memory runs out, the kernel ends this process and not the agent."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
