"""A real keeper: what it starts, what it holds while no agent is there, when it fences, and when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from waterflow_agent import _clock
from waterflow_agent._keeping._launch import launch
from waterflow_agent._stop import StopReason
from waterflow_sdk.node import NodeError

from .conftest import Host, Sink, lives, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are kept on Linux only")


class TestStart:
    async def test_output_and_exit_code(self, host: Host) -> None:
        sink = Sink()
        process = await host.start(await host.attempt(), "echo one; echo two >&2; exit 3", sink)
        await sink.ended()
        assert (sink.out, process.code, process.age) == ({1: b"one\n", 2: b"two\n"}, 3, 0.0)

    async def test_a_signal(self, host: Host) -> None:
        sink = Sink()
        process = await host.start(await host.attempt(), "kill -9 $$", sink)
        await sink.ended()
        assert process.code == -9

    async def test_its_own_session_and_group(self, host: Host) -> None:
        sink = Sink()
        process = await host.start(await host.attempt(), "cut -d' ' -f5,6 /proc/$$/stat; echo $$", sink)
        await sink.ended()
        assert sink.out[1].decode().split() == [str(process.group)] * 3

    async def test_environment_and_directory_are_the_given_ones(self, host: Host) -> None:
        sink = Sink()
        await host.start(await host.attempt(), "echo $GREETING; pwd; env | wc -l", sink, GREETING="hello")
        await sink.ended()
        greeting, directory, count = sink.out[1].decode().split()
        assert (greeting, directory) == ("hello", str(host.directory))
        assert int(count) <= 6  # PATH, the mark, ours, and what the shell adds

    async def test_standard_input_of_any_size(self, host: Host) -> None:
        sink, given = Sink(), os.urandom(3_000_000)
        await host.start(await host.attempt(), "wc -c", sink, given)
        await sink.ended()
        assert sink.out[1].strip() == b"3000000"

    async def test_standard_input_that_nobody_reads(self, host: Host) -> None:
        sink = Sink()
        process = await host.start(await host.attempt(), "exec <&-; exit 0", sink, b"x" * 1_000_000)
        await sink.ended()
        assert process.code == 0

    async def test_of_a_program_in_the_given_directory(self, host: Host) -> None:
        (host.directory / "tool").write_text("#!/bin/sh\necho here\n")
        (host.directory / "tool").chmod(0o700)
        sink = Sink()
        await host.start(await host.attempt(), ["./tool"], sink)
        await sink.ended()
        assert sink.out[1] == b"here\n"

    @pytest.mark.parametrize("argv", [["no-such-program"], ["./no-such-file"]])
    async def test_of_nothing(self, host: Host, argv: list[str]) -> None:
        with pytest.raises(FileNotFoundError) as raised:
            await host.start(await host.attempt(), argv, Sink())
        assert raised.value.filename == argv[0]

    async def test_of_what_cannot_be_executed(self, host: Host) -> None:
        (host.directory / "text").write_text("no program")
        with pytest.raises(PermissionError):
            await host.start(await host.attempt(), ["./text"], Sink())

    async def test_in_no_directory(self, host: Host) -> None:
        kept = await host.attempt()
        with pytest.raises(FileNotFoundError):
            await kept(["true"], env={}, cwd=host.directory / "nowhere", stdin=None, sink=Sink())

    async def test_with_a_nul_byte(self, host: Host) -> None:
        with pytest.raises(ValueError, match=r"^embedded null byte$"):
            await host.start(await host.attempt(), ["true", "a\0b"], Sink())

    async def test_its_umask_and_signals_are_those_of_any_child(self, host: Host) -> None:
        """Signals 32 and 33 are the C library's own: its posix_spawn ignores them, as in every child of system(3)."""
        script = "umask; grep SigIgn /proc/self/status | sed 's/.*\\(........\\)/\\1/'"
        sink = Sink()
        await host.start(await host.attempt(), script, sink)
        await sink.ended()
        child = await asyncio.to_thread(subprocess.run, ["sh", "-c", script], capture_output=True, check=True)
        assert _without_the_c_librarys(sink.out[1]) == _without_the_c_librarys(child.stdout)


class TestWithoutAgent:
    async def test_what_is_printed_meanwhile_comes_behind_what_was_there(self, host: Host) -> None:
        before, after = Sink(), Sink()
        go = host.directory / "go"
        script = f"echo one; while ! test -e {go}; do sleep 0.01; done; echo two; exit 4"
        await host.start(await host.attempt(), script, before)
        await before.has(b"one\n")
        (held,) = await host.killed()
        go.touch()
        process = await host.start(await host.again(held), script, after)
        await after.ended()
        assert (after.out[1], process.code, before.out[1]) == (b"one\ntwo\n", 4, b"one\n")
        assert process.age > 0

    async def test_a_process_that_ended_is_a_zombie_until_somebody_came(self, host: Host) -> None:
        go = host.directory / "go"
        script = f"while ! test -e {go}; do sleep 0.01; done"
        first = await host.start(await host.attempt(), script, Sink())
        await host.killed()  # the next agent is there, and does not listen to it
        go.touch()
        await until(lambda: not lives(first.group or 0))
        (held,) = await host.killed()
        assert [process.pid for process in held.processes] == [first.group]
        sink, kept = Sink(), await host.again(held)
        await host.start(kept, script, sink)
        await sink.ended()
        host.keeping.release(kept.attempt.key)
        await until(lambda: not Path(f"/proc/{first.group}").exists())

    async def test_one_that_prints_more_than_is_held_waits_and_loses_nothing(self, host: Host) -> None:
        go, size = host.directory / "go", 24_000_000  # 16 MB of it are held
        script = f"while ! test -e {go}; do sleep 0.01; done; head -c {size} /dev/zero | tr '\\0' x"
        process = await host.start(await host.attempt(), script, Sink())
        host.keeping.close()
        go.touch()
        keeper = Path(f"/proc/{host.keeper}/status")
        await until(lambda: _resident(keeper) > 16_000)
        assert lives(process.group or 0)
        (held,) = await host.killed()
        assert lives(process.group or 0)
        sink = Sink()
        await host.start(await host.again(held), script, sink)
        await sink.ended()
        assert len(sink.out[1]) == size

    async def test_processes_are_found_by_their_number(self, host: Host) -> None:
        kept = await host.attempt()
        for text in ("one", "two"):
            sink = Sink()
            await host.start(kept, f"echo {text}", sink)
            await sink.ended()
        (held,) = await host.killed()
        again = await host.again(held)
        for text in (b"one\n", b"two\n"):
            sink = Sink()
            await host.start(again, f"echo {text.decode().strip()}", sink)
            await sink.ended()
            assert sink.out[1] == text
        sink = Sink()
        new = await host.start(again, "echo three", sink)
        await sink.ended()
        assert (sink.out[1], new.age) == (b"three\n", 0.0)

    async def test_other_arguments_are_an_error(self, host: Host) -> None:
        await host.start(await host.attempt(), "sleep 60", Sink())
        (held,) = await host.killed()
        again = await host.again(held)
        with pytest.raises(NodeError) as raised:
            await host.start(again, "sleep 61", Sink())
        assert raised.value.code == "not-resumable"

    async def test_what_is_dropped_is_killed(self, host: Host) -> None:
        process = await host.start(await host.attempt(), "trap '' TERM; sleep 60; sleep 60", Sink())
        (held,) = await host.killed()
        host.keeping.drop(held)
        await until(lambda: not lives(process.group or 0))

    async def test_the_task_and_the_delivery_are_remembered(self, host: Host) -> None:
        kept = await host.attempt(secrets={"TOKEN": "value"}, timeout=9.0)
        await host.start(kept, "sleep 60", Sink())
        (held,) = await host.killed()
        attempt = (await host.again(held)).attempt
        assert (attempt.task, attempt.delivery, attempt.started) == (
            kept.attempt.task,
            kept.attempt.delivery,
            kept.attempt.started,
        )
        assert attempt.begun == kept.attempt.begun


class TestFence:
    async def test_ends_all_of_the_attempt_when_nobody_confirms_it(self, host: Host) -> None:
        kept = await host.attempt(resumable=False, fence_after=4.0, kill_grace=0.2)
        sink, told = Sink(), host.directory / "stray"
        script = f"trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > {told}; sleep 60' & sleep 60; sleep 60"
        process = await host.start(kept, script, sink)
        await until(lambda: told.exists() and bool(told.read_text().strip()))
        await sink.ended()
        await until(lambda: not lives(int(told.read_text())))
        assert (process.code, kept.attempt.reason, kept.attempt.limit) == (-9, StopReason.FENCED, 4.0)
        with pytest.raises(OSError, match="Operation canceled"):
            await host.start(kept, "true", Sink())

    async def test_not_as_long_as_it_is_confirmed(self, host: Host) -> None:
        kept = await host.attempt(fence_after=3.0)
        sink = Sink()
        process = await host.start(kept, "sleep 4; echo well", sink)
        while not sink.exited.is_set():
            kept.attempt.contact(_clock.elapsed())
            await asyncio.sleep(0.1)
        assert (process.code, kept.attempt.reason) == (0, None)

    async def test_while_no_agent_is_there(self, host: Host) -> None:
        process = await host.start(await host.attempt(fence_after=0.5), "sleep 60", Sink())
        host.keeping.close()
        await until(lambda: not lives(process.group or 0))
        (held,) = await host.killed()
        assert held.fenced


class TestEnd:
    async def test_when_it_keeps_nothing_and_the_agent_is_gone(self, host: Host) -> None:
        kept, sink = await host.attempt(), Sink()
        await host.start(kept, "true", sink)
        await sink.ended()
        keeper = host.keeper
        host.keeping.release(kept.attempt.key)
        host.keeping.close()
        await until(lambda: not lives(keeper))
        assert not (host.directory / "keeper.sock").exists()
        assert list((host.directory / "transcripts").iterdir()) == []

    async def test_when_it_was_idle_and_another_one_follows(self, host: Host) -> None:
        host.keeping = host.agent(idle=0.05)
        for _time in range(2):
            kept, sink = await host.attempt(), Sink()
            await host.start(kept, "true", sink)
            await sink.ended()
            keeper = host.keeper
            host.keeping.release(kept.attempt.key)
            await until(lambda: not lives(keeper))  # noqa: B023 (awaited at once)

    async def test_killed_it_takes_the_attempts_with_it(self, host: Host) -> None:
        kept = await host.attempt()
        process = await host.start(kept, "sleep 60", Sink())
        os.kill(host.keeper, signal.SIGKILL)
        async with asyncio.timeout(120):
            await kept.attempt.stopping
        assert kept.attempt.reason is StopReason.KEEPER_LOST
        os.killpg(process.group or 0, signal.SIGKILL)
        sink = Sink()
        await host.start(await host.attempt(), "echo next", sink)
        await sink.ended()
        assert sink.out[1] == b"next\n"

    async def test_an_agent_that_ends_in_order_takes_its_steps_with_it(self, host: Host) -> None:
        process = await host.start(await host.attempt(), "trap '' TERM; sleep 60; sleep 60", Sink())
        host.keeping.end()
        await until(lambda: not lives(process.group or 0))
        assert await host.killed() == []

    async def test_when_the_state_directory_is_gone_so_is_what_it_keeps(self, host: Host) -> None:
        process = await host.start(await host.attempt(), "sleep 60", Sink())
        os.unlink(host.directory / "keeper.sock")
        host.keeping.close()  # it looks when the agent leaves, and then every half minute
        await until(lambda: not lives(process.group or 0))

    async def test_what_was_found_at_a_keeper_that_is_gone_is_not_started_anew(self, host: Host) -> None:
        mark = host.directory / "mark"
        script = f"echo once >> {mark}; sleep 60"
        process = await host.start(await host.attempt(), script, Sink())
        (held,) = await host.killed()
        os.kill(host.keeper, signal.SIGKILL)
        await until(lambda: host.keeping._link is None)
        again = await host.again(held)
        assert again.attempt.reason is StopReason.KEEPER_LOST
        with pytest.raises(ConnectionResetError):
            await host.start(again, script, Sink())
        os.killpg(process.group or 0, signal.SIGKILL)
        assert mark.read_text() == "once\n"

    async def test_there_is_one(self, host: Host) -> None:
        await host.start(await host.attempt(), "sleep 60", Sink())
        with pytest.raises(OSError, match="another keeper holds the state directory"):
            await asyncio.to_thread(launch, host.directory)


class TestCost:
    def test_it_loads_what_is_built_in_and_little_more(self) -> None:
        source = Path(__file__).parents[2] / "src"
        code = (
            "import sys; before = set(sys.modules); sys.path.append(sys.argv[1])\n"
            "import waterflow_agent._keeper._main\n"
            "print(*(name for name in set(sys.modules) - before if not name.startswith('waterflow_agent')))"
        )
        words = [sys.executable, "-I", "-S", "-c", code, str(source)]
        loaded = set(subprocess.check_output(words, text=True).split())
        assert loaded <= {
            *("__future__", "_collections_abc", "_socket", "_stat", "errno", "fcntl", "genericpath", "os", "os.path"),
            *("posixpath", "select", "stat"),
        }

    async def test_its_private_memory_is_a_few_megabytes(self, host: Host) -> None:
        await host.start(await host.attempt(), "sleep 60", Sink())
        assert _resident(Path(f"/proc/{host.keeper}/status")) < 6000


def _without_the_c_librarys(said: bytes) -> tuple[str, int]:
    mask, ignored = said.decode().split()
    return mask, int(ignored, 16) & 0x7FFF_FFFF


def _resident(status: Path) -> int:
    """Private memory in kB."""
    (found,) = (int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("RssAnon:"))
    return found
