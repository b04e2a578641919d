"""What `waterflow logs` tells of one run on two hosts: everything that happened, in one stream, by every option."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.command import Command, Result

from waterflow_sdk.client import Run
from waterflow_sdk.wire import State

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

HOSTS = ("web-01", "web-02")

NODE = '''
from waterflow_sdk import Node

class Slow(Node):
    """Tells how far it is."""
    name = "story/slow"
    version = "1.0.0"
    async def execute(self, ctx, inputs):
        ctx.progress(50, "half way")
        return {}
'''

FILE = """
name: story
jobs:
  deploy:
    runs-on: {group: web, target: all}
    steps:
      - name: Build
        id: build
        retry: {max-attempts: 2, initial-interval: 0.1}
        run: |
          echo >> tries; try=$(grep -c "" tries); echo "try $try"
          echo "::warning file=app.py,line=7::old"
          echo "::group::Details"; echo "a detail" >&2; echo "::endgroup::"
          [ "$try" -gt 1 ] || exit 3
      - {name: Wait, uses: story/slow}
  report:
    needs: deploy
    runs-on: {group: web, target: any}
    steps: [{name: Report, run: echo reported}]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A site with two agents that know the node of the story."""
    plugins = tmp_path_factory.mktemp("plugins")
    (plugins / "slow.py").write_text(NODE)
    async with Site.create(tmp_path_factory.mktemp("story")) as made:
        for name in HOSTS:
            made.start_agent(name, PLUGIN_DIR=str(plugins))
        await made.until_online(*HOSTS)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(site: Site) -> Run:
    """The run, at its end."""
    run = await site.submit(FILE)
    state = await run.wait(180)
    assert state.state is State.SUCCESS, state
    return run


@pytest.fixture
def command(site: Site, tmp_path: Path) -> Command:
    return Command(tmp_path / "home")


async def shown(command: Command, site: Site, run: Run, *options: str) -> list[str]:
    """The lines of `waterflow logs`."""
    words = ("logs", run.id, "--server", site.url, *options)
    done: Result = await asyncio.to_thread(lambda: command.run(*words, within=110))
    assert (done.code, done.stderr) == (0, "")
    return done.stdout.splitlines()


STORY = [
    "[deploy HOST Build] ▶ Build",
    "[deploy HOST Build] try 1",
    "[deploy HOST Build] warning: app.py:7: old",
    "[deploy HOST Build] ┌ Details",
    "[deploy HOST Build] a detail",
    "[deploy HOST Build] ✗ Build: failed (exit code 3)",
    "[deploy HOST Build] ▶ Build (attempt 2)",
    "[deploy HOST Build] try 2",
    "[deploy HOST Build] warning: app.py:7: old",
    "[deploy HOST Build] ┌ Details",
    "[deploy HOST Build] a detail",
    "[deploy HOST Build] ✓ Build: success",
    "[deploy HOST Wait] ▶ Wait",
    "[deploy HOST Wait] … 50 %: half way",
    "[deploy HOST Wait] ✓ Wait: success",
]


class TestStory:
    @pytest.mark.parametrize("how", [(), ("-f",)], ids=["read", "followed"])
    async def test_boundaries_attempts_progress_and_annotations_of_each_host(
        self, command: Command, site: Site, run: Run, how: tuple[str, ...]
    ):
        lines = await shown(command, site, run, *how)
        for host in HOSTS:
            told = sorted(line for line in lines if f"[deploy {host} " in line)
            assert told == sorted(line.replace("HOST", host) for line in STORY)
        assert [line.rpartition("] ")[2] for line in lines[-3:]] == ["▶ Report", "reported", "✓ Report: success"]
        assert len(lines) == 2 * len(STORY) + 3


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "count"),
        [
            (("--job", "report"), 3),
            (("--job", "deploy[web-02]"), 15),
            (("--host", "web-01", "--job", "deploy"), 15),
            (("--step", "build"), 24),
            (("--step", "Wait"), 6),
            (("--attempt", "1", "--step", "build"), 12),
            (("--attempt", "2"), 12),
            (("--grep", "A DETAIL"), 4),
            (("--stream", "stdout"), 5),
            (("--tail", "2"), 2),
            (("--since", "1h"), 33),
            (("--since", "2030-01-01T00:00:00"), 0),
            (("-f", "--host", "web-02", "--grep", "try"), 2),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    async def test_named(self, command: Command, site: Site, run: Run, options: tuple[str, ...], count: int):
        lines = await shown(command, site, run, *options)
        assert len(lines) == count, "\n".join(lines)

    async def test_on_a_terminal_each_host_has_its_colour(self, command: Command, site: Site, run: Run):
        words = ("logs", run.id, "--server", site.url, "--step", "build", "--attempt", "1")
        text = await asyncio.to_thread(on_a_terminal, command, *words)
        hosts = re.findall(r"\x1b\[(\d+)m(web-0\d) │ \x1b\[0m", text)
        assert len(hosts) == 12
        assert len(set(hosts)) == len({colour for colour, _ in hosts}) == 2
        assert text.count("\x1b[31m✗ Build: failed (exit code 3)") == 2
        assert text.count("\x1b[33mwarning: app.py:7: old") == 2


def on_a_terminal(command: Command, *words: str) -> str:
    """What the command shows to somebody who sits before it."""
    ours, its = os.openpty()
    environ = command.environ | {"TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-m", "waterflow_cli", *words], env=environ, stdin=subprocess.DEVNULL, stdout=its, stderr=its
    ) as process:
        os.close(its)
        shown = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""  # nobody writes to it any more: pty(7)


class TestFollow:
    async def test_each_line_is_seen_within_a_second_while_the_step_waits_for_it(self, site: Site, tmp_path: Path):
        script = f"for i in $(seq 9); do echo $i; while [ ! -e {tmp_path}/$i ]; do sleep 0.01; done; done"
        run = await site.submit(f"jobs: {{one: {{runs-on: web, steps: [{{run: '{script}'}}]}}}}")
        late: list[float] = []
        async with asyncio.timeout(110), run.logs(follow=True) as log:
            async for line in log:
                if line.event is None:
                    late.append((datetime.now(UTC) - line.time).total_seconds())
                    (tmp_path / line.text).touch()
        assert len(late) == 9
        # Nothing else is due while the step waits, so the quickest ones show what the way takes, on a busy machine too.
        assert sorted(late)[2] < 1.0, late
