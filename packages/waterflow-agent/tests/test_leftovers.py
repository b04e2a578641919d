"""After a kill -9: what the former agent left behind is ended, and its attempts get an outcome."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from waterflow_agent._journal import Journal
from waterflow_agent._leftovers import end_leftovers
from waterflow_agent._logs import Logs
from waterflow_agent._notices import Notices
from waterflow_agent._process_table import MARK, started_at
from waterflow_agent._settings import AgentSettings
from waterflow_sdk.wire import LogEventKind, LogRecord, State

from .conftest import AGENT, key

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


async def sleeper(mark: str | None) -> asyncio.subprocess.Process:
    """A process in a session of its own, with or without the mark of an attempt."""
    environ = {**os.environ, **({MARK: mark} if mark else {})}
    return await asyncio.create_subprocess_exec("sleep", "60", env=environ, start_new_session=True)


async def leader_and_child(
    tmp_path: Path, script: str, environ: dict[str, str] | None = None
) -> tuple[asyncio.subprocess.Process, int]:
    """The leader of a session, and the id of a child of it that runs the script."""
    told = tmp_path / "child"
    given = {**os.environ, "TOLD": str(told), "SCRIPT": script, **(environ or {})}
    leader = await asyncio.create_subprocess_exec(
        "sh", "-c", """sh -c 'echo $$ > "$TOLD"; eval "$SCRIPT"' & sleep 60""", env=given, start_new_session=True
    )
    async with asyncio.timeout(60):
        while not (told.exists() and told.read_text().strip()):
            await asyncio.sleep(0.01)
    return leader, int(told.read_text())


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def logs_in(tmp_path: Path) -> Logs:
    return Logs(AgentSettings(state_dir=tmp_path), "web-01", Notices())


class TestProcesses:
    async def test_marked_ones_are_ended_even_outside_their_group(self, journal: Journal, tmp_path: Path) -> None:
        journal.start(key(), "i1", AT)
        ours, other = await sleeper(str(key())), await sleeper(str(key(attempt=2)))
        await end_leftovers(AGENT, journal, logs_in(tmp_path), grace=5)
        assert await asyncio.wait_for(ours.wait(), 60) == -15
        assert other.returncode is None
        other.kill()
        await other.wait()

    async def test_a_group_leader_that_wiped_its_environment(self, journal: Journal, tmp_path: Path) -> None:
        process = await sleeper(None)
        journal.start(key(), "i1", AT)
        journal.process(key(), process.pid, started_at(process.pid))
        await end_leftovers(AGENT, journal, logs_in(tmp_path), grace=5)
        assert await asyncio.wait_for(process.wait(), 60) == -15

    async def test_a_process_id_that_was_used_again_is_left_alone(self, journal: Journal, tmp_path: Path) -> None:
        stranger = await sleeper(None)
        journal.start(key(), "i1", AT)
        journal.process(key(), stranger.pid, started_at(stranger.pid) - 1)
        await end_leftovers(AGENT, journal, logs_in(tmp_path), grace=0.1)
        assert stranger.returncode is None
        stranger.kill()
        await stranger.wait()

    async def test_a_child_without_the_mark_whose_leader_is_gone(self, journal: Journal, tmp_path: Path) -> None:
        leader, child = await leader_and_child(tmp_path, "exec env -i sleep 60")
        journal.start(key(), "i1", AT)
        journal.process(key(), leader.pid, started_at(leader.pid))
        leader.kill()
        await leader.wait()
        await end_leftovers(AGENT, journal, logs_in(tmp_path), grace=5)
        assert not runs(child)

    async def test_what_is_started_while_the_others_are_ended(self, journal: Journal, tmp_path: Path) -> None:
        script = f"trap 'sleep 60 & echo $! > {tmp_path}/late; exit' TERM; while :; do sleep 0.05; done"
        leader, child = await leader_and_child(tmp_path, script, {MARK: str(key())})
        journal.start(key(), "i1", AT)
        await end_leftovers(AGENT, journal, logs_in(tmp_path), grace=5)
        assert await leader.wait() == -15
        assert not runs(child)
        assert not runs(int((tmp_path / "late").read_text()))

    async def test_in_the_session_of_a_stranger_they_are_left_alone(self, journal: Journal, tmp_path: Path) -> None:
        leader, child = await leader_and_child(tmp_path, "exec env -i sleep 60")
        journal.start(key(), "i1", AT)
        journal.process(key(), leader.pid, started_at(leader.pid) - 1)
        await end_leftovers(AGENT, journal, logs_in(tmp_path), grace=0.1)
        assert runs(child)
        os.killpg(leader.pid, signal.SIGKILL)
        await leader.wait()


class TestOutcome:
    async def test_is_journalled_and_told_in_the_log(self, journal: Journal, tmp_path: Path) -> None:
        journal.start(key(), "i1", AT)
        await end_leftovers(AGENT, journal, logs_in(tmp_path))
        outcome = journal.outcome(key())
        assert outcome is not None
        assert outcome.error is not None
        assert (outcome.state, outcome.error.code, outcome.started) == (State.FAILED, "agent-restarted", AT)
        assert outcome.error.message == "the agent was restarted while the step ran, and ended what was left of it"
        (line,) = (tmp_path / "logs/open/r1/build/steps[0].1.log").read_bytes().splitlines()
        record = msgspec.json.decode(line, type=LogRecord)
        assert (record.event, record.data) == (LogEventKind.STEP_ENDED, {"state": "failed"})
        assert journal.unfinished() == []
