"""What steps print that no log was made for, and a server that is away: the step goes on, disk and log stay bounded."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.command import Command
from harness.files import files_below
from harness.site import until

from waterflow_sdk.wire import LogEventKind, LogLine, RunState, State

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

MOST = 8 * 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A site with one agent that keeps 8 MiB of a step's output."""
    async with Site.create(tmp_path_factory.mktemp("output")) as made:
        made.start_agent("a1", WATERFLOW_LOG_MAX_SIZE=str(MOST))
        await made.until_online("a1")
        yield made


def source(script: str) -> str:
    """A workflow of one step. It is JSON, which is YAML as well."""
    job = {"runs-on": {"group": "web", "target": "any"}, "steps": [{"name": "print", "run": script}]}
    return json.dumps({"name": "output", "jobs": {"print": job}})


async def printed(site: Site, script: str) -> tuple[RunState, list[LogLine]]:
    """The run of a script, and what the server has of its output when the followed log has ended."""
    run = await site.submit(source(script))
    lines: list[LogLine] = []
    async with run.logs(follow=True) as log:
        while batch := await log.next_batch():
            lines += batch
    assert log.end is not None
    assert log.end.missing == []
    return await run.wait(), lines


def output(lines: Sequence[LogLine]) -> list[LogLine]:
    return [line for line in lines if line.event is None]


class TestLongLine:
    async def test_of_ten_megabytes_comes_whole_in_parts(self, site: Site):
        run, lines = await printed(site, "head -c 7000000 /dev/zero | tr '\\0' x; echo; echo after")
        assert run.state is State.SUCCESS
        *parts, last, after = output(lines)
        assert all(part.partial for part in parts)
        assert not last.partial
        assert sum(len(part.text) for part in (*parts, last)) == 7_000_000
        assert after.text == "after"

    async def test_beyond_the_cap_is_cut_and_counted(self, site: Site):
        run, lines = await printed(site, "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo after")
        assert run.state is State.SUCCESS
        kept = output(lines)
        assert MOST - 200_000 < sum(len(line.text) for line in kept) <= MOST + 200_000
        cut, dropped, ended = [line for line in lines if line.event][-3:]
        assert cut.text == f"the log is cut here: the step printed more than {MOST:,} bytes"
        assert dropped.text == f"{dropped.data['dropped']} records were dropped where the log is cut"
        assert ended.event is LogEventKind.STEP_ENDED

    async def test_is_shown_by_the_command_in_parts_that_say_that_they_go_on(self, site: Site, tmp_path: Path):
        run, _ = await printed(site, "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo after")
        shown = await command_shows(site, tmp_path, run.id)
        parts = [line.rpartition("] ")[2] for line in shown.splitlines() if line.endswith(("x", "x…"))]
        assert [part.endswith("…") for part in parts] == [True] * (len(parts) - 1) + [False]
        assert "".join(part.removesuffix("…") for part in parts) == "x" * 1_000_000


class TestBinary:
    async def test_moves_no_cursor_of_whoever_looks(self, site: Site, tmp_path: Path):
        script = "head -c 100000 /dev/urandom; echo; printf '\\033[2J\\033]0;title\\007'; echo after"
        run, _ = await printed(site, script)
        assert run.state is State.SUCCESS
        shown = await command_shows(site, tmp_path, run.id)
        controls = {*range(32), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")}
        assert controls.isdisjoint(map(ord, shown))
        assert shown.splitlines()[-2].endswith("] after")

    async def test_every_byte_becomes_some_character(self, site: Site):
        run, lines = await printed(
            site, 'for n in $(seq 0 255); do printf "\\\\$(printf %o $n)"; done; echo; echo after'
        )
        assert run.state is State.SUCCESS
        text = "\n".join(line.text for line in output(lines))
        assert text.startswith("\0\1\2\3")
        assert "\x1b" in text
        assert "\ufffd" in text
        assert text.endswith("\nafter")


class TestVeryMuch:
    async def test_a_gigabyte_leaves_the_cap_on_the_disk_and_the_agent_well(self, site: Site):
        run, lines = await printed(site, "yes \"$(head -c 999 /dev/zero | tr '\\0' y)\" | head -c 1000000000; echo end")
        assert run.state is State.SUCCESS
        kept = len(output(lines))
        (dropped,) = [line.data["dropped"] for line in lines if "dropped" in line.data]
        assert kept + dropped == 1_000_001
        logs = site.agents["a1"].state_dir / "logs"

        async def filed_away() -> bool:
            return not files_below(logs / "open" / run.id)

        await until(filed_away, "all of it is shipped")
        spooled = sum(path.stat().st_size for path in files_below(logs / "shipped" / run.id))
        assert spooled > 1024 * 1024
        assert spooled < MOST + 1024 * 1024


class TestServerAway:
    async def test_a_step_ends_as_if_it_were_there_and_the_log_comes_later(self, site: Site, tmp_path: Path):
        gate, done = tmp_path / "gate", tmp_path / "done"
        script = f"while [ ! -e {gate} ]; do sleep 0.05; done; seq 50000; echo ended > {done}; sleep 1"
        run = await site.submit(source(script))
        async with run.logs(follow=True) as log:
            assert (await log.next_batch())[0].event is LogEventKind.STEP_STARTED
            site.kill_server()
            gate.touch()
            await until_there(done)
            await site.start_server()
            numbers: list[str] = []
            while batch := await log.next_batch():
                numbers += [line.text for line in batch if line.event is None]
        assert numbers == [str(number) for number in range(1, 50_001)]


class TestPlace:
    @pytest.mark.parametrize(
        ("place", "reason"), [("/dev/null/logs", "Not a directory"), ("/proc/logs", "No such file or directory")]
    )
    async def test_that_cannot_be_written_to_is_said_at_the_start(
        self, site: Site, tmp_path: Path, place: str, reason: str
    ):
        words = ["-m", "waterflow_agent", "--log-dir", place, "--state-dir", str(tmp_path / "state")]
        words += ["--temporal", site.temporal.address]
        ended = await asyncio.to_thread(start_agent, words)
        assert ended.returncode != 0
        assert f"step logs cannot be written to {place}: {reason}; give another place with --log-dir" in ended.stderr
        assert "Traceback" not in ended.stderr


async def command_shows(site: Site, tmp_path: Path, run: str) -> str:
    """What `waterflow logs` writes."""
    command = Command(tmp_path / "home")
    done = await asyncio.to_thread(command.run, "logs", run, "--server", site.url)
    assert (done.code, done.stderr) == (0, "")
    return done.stdout


def start_agent(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """An agent that ends by itself."""
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=180, check=False)


async def until_there(path: Path) -> None:
    """Until the step has made a file."""

    async def there() -> bool:
        return await asyncio.to_thread(path.exists)

    await until(there, f"the step has printed all and made {path}")
