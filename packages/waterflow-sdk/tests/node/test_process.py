"""Processes of a step: real ones, in real process groups."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from waterflow_sdk import InvalidInput, NodeError, NodeTimeout, NotFoundError, PermissionDenied, ProcessResult
from waterflow_sdk.node import ProcessSink, StartedProcess
from waterflow_sdk.node._group import group_alive
from waterflow_sdk.node._process import StepProcesses

ENV = {"PATH": os.environ["PATH"]}


class Recorder:
    """Collects output and lets a test await a piece of it."""

    def __init__(self) -> None:
        self.out = ""
        self.err = ""
        self._waiting: list[tuple[str, asyncio.Event]] = []

    def on_out(self, text: str) -> None:
        self.out += text
        for wanted, event in self._waiting:
            if wanted in self.out:
                event.set()

    def on_err(self, text: str) -> None:
        self.err += text

    async def seen(self, wanted: str) -> None:
        event = asyncio.Event()
        self._waiting.append((wanted, event))
        self.on_out("")
        async with asyncio.timeout(120):
            await event.wait()


async def run(
    *argv: str,
    processes: StepProcesses | None = None,
    output: Recorder | None = None,
    env: dict[str, str] | None = None,
    cwd: Path = Path("/"),
    stdin: str | bytes | None = None,
    seconds: float | None = None,
) -> tuple[ProcessResult, Recorder]:
    output = output or Recorder()
    own = processes or StepProcesses(grace=1)
    try:
        result = await own.run(
            argv,
            env={**ENV, **(env or {})},
            cwd=cwd,
            on_stdout=output.on_out,
            on_stderr=output.on_err,
            stdin=stdin,
            timeout=seconds,
        )
    finally:
        if processes is None:
            await own.close()
    return result, output


class TestResult:
    async def test_output_and_exit_code(self) -> None:
        result, output = await run("sh", "-c", "echo out; echo err >&2; exit 3")
        assert (result, output.out, output.err) == (ProcessResult(exit_code=3), "out\n", "err\n")
        assert not result.ok

    async def test_a_signal(self) -> None:
        result, _ = await run("sh", "-c", "kill -9 $$")
        assert result == ProcessResult(exit_code=137, signal=signal.SIGKILL)

    async def test_all_of_a_large_output(self) -> None:
        _, output = await run("sh", "-c", "seq 1 200000")
        assert output.out.splitlines()[-1] == "200000"
        assert output.out.count("\n") == 200_000

    async def test_binary_output_and_a_character_cut_by_a_chunk(self) -> None:
        script = (
            "import sys,time; w=sys.stdout.buffer; w.write(b'\\xc3'); w.flush(); w.write(b'\\xb6\\xff\\0.'); w.flush()"
        )
        _, output = await run(sys.executable, "-c", script)
        assert output.out == "ö\ufffd\0."


class TestInput:
    async def test_nothing_by_default(self) -> None:
        assert (await run("cat"))[1].out == ""

    @pytest.mark.parametrize("stdin", ["tëxt", "tëxt".encode()], ids=["text", "bytes"])
    async def test_given(self, stdin: str | bytes) -> None:
        assert (await run("cat", stdin=stdin))[1].out == "tëxt"

    async def test_a_process_that_does_not_read_it(self) -> None:
        assert (await run("true", stdin="x" * 1_000_000))[0].ok

    async def test_environment_and_directory(self, tmp_path: Path) -> None:
        _, output = await run("sh", "-c", 'echo "$A"; pwd', env={"A": "; rm -rf"}, cwd=tmp_path)
        assert output.out == f"; rm -rf\n{tmp_path}\n"


class TestErrors:
    async def test_no_such_program(self) -> None:
        with pytest.raises(NotFoundError, match=r"^program 'no-such-thing' was not found on PATH$"):
            await run("no-such-thing")

    async def test_no_such_file(self) -> None:
        with pytest.raises(NotFoundError, match=r"^program '/no/such' does not exist$"):
            await run("/no/such")

    async def test_no_such_directory(self) -> None:
        with pytest.raises(NotFoundError, match=r"^working directory '/no/such' does not exist$"):
            await run("true", cwd=Path("/no/such"))

    async def test_not_executable(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("")
        with pytest.raises(PermissionDenied) as error:
            await run(str(tmp_path / "x"))
        assert str(error.value) == f"program '{tmp_path}/x' may not be executed by this user"

    async def test_not_a_program(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("plain text")
        (tmp_path / "x").chmod(0o755)
        with pytest.raises(NodeError) as error:
            await run(str(tmp_path / "x"))
        assert str(error.value) == f"program '{tmp_path}/x' did not start: Exec format error"

    async def test_nul_byte(self) -> None:
        with pytest.raises(InvalidInput) as error:
            await run("echo", "a\0b")
        assert str(error.value) == "a NUL byte is not allowed in the arguments or the environment of a process"

    async def test_too_many_arguments(self) -> None:
        with pytest.raises(InvalidInput) as error:
            await run("echo", "x" * 3_000_000)
        assert str(error.value) == "the arguments and environment of 'echo' are too large; pass data by stdin or a file"

    async def test_no_arguments(self) -> None:
        with pytest.raises(InvalidInput, match=r"^run_process needs a program to run$"):
            await run()

    async def test_a_handler_that_raises_ends_the_process(self) -> None:
        processes = StepProcesses(grace=1)

        def fail(text: str) -> None:
            raise LookupError(text)

        with pytest.raises(LookupError, match="x"):
            await processes.run(
                ["sh", "-c", "echo x; sleep 100"], env=ENV, cwd=Path("/"), on_stdout=fail, on_stderr=fail
            )
        assert processes.groups == frozenset()


class TestTimeout:
    async def test_it_ends_the_whole_group(self) -> None:
        processes = StepProcesses(grace=1)
        with pytest.raises(NodeTimeout) as error:
            await run("sh", "-c", "sleep 100 & sleep 100", processes=processes, seconds=0.2)
        assert str(error.value) == "sh did not end within 0.2 seconds and was killed"
        assert error.value.retryable
        assert processes.groups == frozenset()


class TestCancellation:
    async def cancel(self, script: str, output: Recorder, grace: float) -> int:
        groups: list[int] = []
        processes = StepProcesses(grace=grace, on_start=groups.append)
        task = asyncio.create_task(run("bash", "-c", script, processes=processes, output=output))
        await output.seen("ready")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return groups[0]

    async def test_term_lets_it_clean_up(self) -> None:
        output = Recorder()
        script = "trap 'echo cleaned; exit' TERM; echo ready; while :; do sleep 0.01; done"
        group = await self.cancel(script, output, grace=60)
        assert "cleaned" in output.out
        assert not group_alive(group)

    async def test_kill_after_the_grace_period(self) -> None:
        group = await self.cancel("trap '' TERM; echo ready; while :; do sleep 0.01; done", Recorder(), grace=0.3)
        assert not group_alive(group)


class TestJournal:
    async def test_start_and_end(self) -> None:
        events: list[tuple[str, int]] = []

        def note(what: str) -> Callable[[int], None]:
            return lambda group: events.append((what, group))

        processes = StepProcesses(on_start=note("start"), on_end=note("end"))
        _, output = await run("sh", "-c", "echo $$", processes=processes)
        assert events == [("start", int(output.out)), ("end", int(output.out))]

    async def test_it_leads_its_own_group(self) -> None:
        _, output = await run(sys.executable, "-c", "import os; print(os.getpid() == os.getpgrp() == os.getsid(0))")
        assert output.out == "True\n"


class TestBackground:
    """A process may leave others behind: they may serve the rest of the step, but do not outlive it."""

    async def test_it_is_not_waited_for_and_ended_with_the_step(self) -> None:
        processes = StepProcesses(grace=1)
        result, output = await run("sh", "-c", "sleep 100 & echo $!", processes=processes)
        pid = int(output.out)
        assert result.ok
        os.kill(pid, 0)
        await processes.close()
        assert processes.groups == frozenset()

    async def test_its_output_is_read_until_then(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "go")
        processes = StepProcesses(grace=1)
        output = Recorder()
        await run("sh", "-c", "(read x < go; echo late) &", processes=processes, output=output, cwd=tmp_path)
        assert output.out == ""
        (tmp_path / "go").write_text("x\n")
        await output.seen("late")
        await processes.close()

    async def test_one_that_left_the_group_does_not_block_the_end(self) -> None:
        _, output = await run("sh", "-c", "setsid sleep 3 & echo done")
        assert output.out == "done\n"


class Elsewhere:
    """A host's own way to have processes: here one that had printed something and had run for a while already."""

    def __init__(self, group: int | None, age: float, code: int | None) -> None:
        self.group = group
        self.age = age
        self.code = code
        self.closed = False

    async def __call__(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdin: bytes | None, sink: ProcessSink
    ) -> StartedProcess:
        assert (argv, cwd, stdin) == (["work"], Path("/"), b"given")
        assert env == ENV
        sink.pipe_data_received(1, b"before\n")
        if self.code is not None:
            sink.process_exited()
            sink.pipe_connection_lost(1, None)
            sink.pipe_connection_lost(2, None)
        return self

    def close(self) -> None:
        self.closed = True


class TestStartedByTheHost:
    async def test_one_that_has_ended_and_left_nothing(self) -> None:
        process = Elsewhere(None, 60.0, 3)
        result, output = await run("work", processes=StepProcesses(start=process), stdin="given")
        assert (result, output.out, process.closed) == (ProcessResult(exit_code=3), "before\n", True)

    async def test_its_time_out_counts_from_its_start(self) -> None:
        process = Elsewhere(None, 60.0, None)
        with pytest.raises(NodeTimeout, match=r"^work did not end within 60 seconds and was killed$"):
            await run("work", processes=StepProcesses(start=process), stdin="given", seconds=60.0)
        assert process.closed
