"""A plug-in file that is changed again and again under a living agent: nothing that the agent holds grows with it.

The plug-in itself counts, whenever its code is run. The long form, with the mark `soak`, changes the file 1,000 times
and prints what it has counted on the way.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from harness.site import until

from .conftest import Host

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

WITHIN = 120.0

PLUGIN = '''
import gc
import json
import os
import sys
import threading
from pathlib import Path

from waterflow_sdk.node import Node


class Count(Node):
    """Another version each time, so that the server hears of it."""
    name = "reloads/count"
    version = "1.0.{number}"

    async def execute(self, ctx, inputs):
        return {{}}


gc.collect()
counted = {{
    "number": {number},
    "pid": os.getpid(),
    "modules": len(sys.modules),
    "objects": len(gc.get_objects()),
    "threads": threading.active_count(),
    "tasks": int(Path("/proc/self/status").read_text().partition("Threads:")[2].split()[0]),
    "files": len(os.listdir("/proc/self/fd")),
    "resident": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
}}
with open({file!r}, "a") as out:
    out.write(json.dumps(counted) + "\\n")
'''


class Count(msgspec.Struct, frozen=True):
    """What a process held when it ran the code: Python's modules, objects and threads, the kernel's threads (`tasks`)
    and open files, and bytes of memory.
    """

    number: int
    pid: int
    modules: int
    objects: int
    threads: int
    tasks: int
    files: int
    resident: int


async def reload(host: Host, file: Path, numbers: range, every: int) -> list[Count]:
    """Changes the plug-in for each number and waits until the agent runs it. Every so many counts, and the last."""
    agent = host.site.agents["web-01"].process
    assert agent is not None
    found: list[Count] = []
    for number in numbers:
        host.drop("reloads.py", PLUGIN.format(number=number, file=str(file)))

        async def counted(number: int = number) -> bool:
            return _of(file, agent.pid).get(number) is not None

        await until(counted, f"reload {number}", WITHIN)
        if (number + 1) % every == 0:
            found.append(_of(file, agent.pid)[number])
    return found


def _of(file: Path, pid: int) -> dict[int, Count]:
    """Those of the agent itself: code is also tried in a process of its own."""
    if not file.exists():
        return {}
    # The last lines are enough, and one may not be whole yet.
    lines = file.read_bytes().rpartition(b"\n")[0].splitlines()[-10:]
    counts = [msgspec.json.decode(line, type=Count) for line in lines]
    return {count.number: count for count in counts if count.pid == pid}


def check(first: Count, last: Count) -> None:
    """Nothing has grown with the number of reloads."""
    times = last.number - first.number
    assert last.modules == first.modules
    assert last.threads <= first.threads + 2
    assert last.files <= first.files + 5
    assert last.tasks <= first.tasks + 5
    assert (last.objects - first.objects) / times < 20


class TestReloads:
    async def test_leave_nothing_behind(self, host: Host, tmp_path: Path):
        _, first, last = await reload(host, tmp_path / "counts", range(15), every=5)
        check(first, last)

    @pytest.mark.soak
    @pytest.mark.timeout(7200)
    async def test_a_thousand_leave_nothing_behind(self, host: Host, tmp_path: Path):
        found = await reload(host, tmp_path / "counts", range(1000), every=200)
        for count in found:
            print(count)  # noqa: T201
        check(found[0], found[-1])
        # Later than the first: an agent gives memory back when it has started, and takes what it needs again.
        grown = found[-1].resident - found[1].resident
        assert grown / (found[-1].number - found[1].number) < 4 * 1024
