"""One attempt, as a host runs it: results, failures, cancellation, threads, and what the context does."""

# ruff: noqa: ARG001 - the parameters of a node are its interface, used or not

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any

import pytest

from waterflow_sdk import (
    NodeCancelled,
    NodeContext,
    NodeError,
    NodeInput,
    NodeOutput,
    ProcessFailed,
    Secret,
    SyncNodeContext,
)
from waterflow_sdk.node import Line, node
from waterflow_sdk.testing import run_node, run_node_async
from waterflow_sdk.wire import LogEventKind, LogRecord


class Nothing(NodeInput):
    pass


class Token(NodeInput):
    token: Secret[str]


def make(function: Any) -> Any:
    return node(name="demo/node", version="1.0.0")(function)


class TestContext:
    def test_what_a_node_knows(self) -> None:
        @make
        async def look(ctx: NodeContext) -> dict[str, Any]:
            return {
                "agent": ctx.agent.name,
                "run": ctx.run.id,
                "key": str(ctx.key),
                "attempt": ctx.attempt,
                "env": ctx.env["STAGE"],
                "path": ctx.env["PATH"].split(os.pathsep)[0],
                "paths": list(ctx.paths),
                "workspace": ctx.workspace.is_dir(),
                "temp": ctx.temp.is_dir() and ctx.temp != ctx.workspace,
                "secret": len(ctx.secrets["TOKEN"]),
                "cancelled": ctx.cancelled,
            }

        result = run_node(look, env={"STAGE": "test"}, paths=["/opt/x/bin"], secrets={"TOKEN": "geheim"}, attempt=2)
        assert result.outputs == {
            "agent": "test-agent",
            "run": "test-run",
            "key": "test-run/test-job/steps[0].2",
            "attempt": 2,
            "env": "test",
            "path": "/opt/x/bin",
            "paths": ["/opt/x/bin"],
            "workspace": True,
            "temp": True,
            "secret": 6,
            "cancelled": False,
        }

    def test_events(self) -> None:
        @make
        async def tell(ctx: NodeContext) -> None:
            ctx.progress(150, "nearly")
            ctx.log.group("Build")
            ctx.log.error("bad\nworse", file="a.py", line=3, title=None)
            ctx.log.end_group()

        assert [(record.event, record.text, record.data) for record in run_node(tell).events] == [
            (LogEventKind.PROGRESS, "nearly", {"percent": 100.0}),
            (LogEventKind.GROUP, "Build", {}),
            (LogEventKind.ERROR, "bad", {"file": "a.py", "line": 3}),
            (LogEventKind.ERROR, "worse", {}),
            (LogEventKind.END_GROUP, "", {}),
        ]

    def test_changes_for_later_steps(self) -> None:
        @make
        async def change(ctx: NodeContext) -> None:
            ctx.set_env("A", "1")
            ctx.set_env("B", None)
            ctx.add_path("/opt/a")
            ctx.add_path("/opt/b")

        result = run_node(change)
        assert (result.env, result.paths) == ({"A": "1", "B": None}, ["/opt/b", "/opt/a"])

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("A=B", "", "'A=B' is not a name for an environment variable: it is empty or holds '=' or NUL"),
            ("A", "x\0", "the value of the environment variable A holds a NUL byte"),
        ],
        ids=["name", "value"],
    )
    def test_an_impossible_variable(self, name: str, value: str, message: str) -> None:
        @make
        async def change(ctx: NodeContext) -> None:
            ctx.set_env(name, value)

        error = run_node(change).error
        assert error is not None
        assert (error.code, error.message) == ("invalid-input", message)

    def test_an_impossible_path(self) -> None:
        @make
        async def change(ctx: NodeContext) -> None:
            ctx.add_path("/a:/b")

        error = run_node(change).error
        assert error is not None
        assert error.message == "'/a:/b' cannot be added to PATH: it is empty or has ':', NUL or a line break"

    def test_lines_to_a_handler(self) -> None:
        @make
        async def read(ctx: NodeContext) -> dict[str, Any]:
            lines: list[Line] = []
            await ctx.run_process(["printf", "a\nb"], on_stdout=lines.extend)
            return {"lines": [line.text for line in lines]}

        result = run_node(read)
        assert (result.outputs, result.stdout) == ({"lines": ["a", "b"]}, "")

    def test_the_environment_of_a_process(self) -> None:
        @make
        async def show(ctx: NodeContext) -> None:
            await ctx.run_process(["sh", "-c", 'echo "$A-${B-unset}"'], env={"A": "2", "B": None})

        assert run_node(show, env={"A": "1", "B": "1"}).stdout == "2-unset"


class TestFailures:
    def test_a_node_error(self) -> None:
        @make
        async def fail(ctx: NodeContext) -> None:
            ctx.stdout.write("one\ntwo\n")
            ctx.set_output("count", 2)
            raise NodeError("no luck", code="luck", retryable=True, details={"a": 1})

        result = run_node(fail)
        assert result.error is not None
        assert (result.error.code, result.error.message, result.error.retryable) == ("luck", "no luck", True)
        assert result.error.details == {"tail": ["one", "two"], "a": 1}
        assert result.outputs == {"count": 2}

    def test_a_failed_process(self) -> None:
        @make
        async def fail(ctx: NodeContext) -> None:
            raise ProcessFailed("it ended with 3", exit_code=3)

        result = run_node(fail)
        assert result.exit_code == 3
        assert result.error is not None
        assert (result.error.code, result.error.details) == ("process-failed", {"exit_code": 3})

    @pytest.mark.parametrize(
        ("raised", "message"),
        [
            (ValueError("oops"), "demo/node has a defect: ValueError: oops; see the step's log"),
            (SystemExit(3), "demo/node has a defect: SystemExit: 3; see the step's log"),
            (
                StopIteration(),
                "demo/node has a defect: RuntimeError: coroutine raised StopIteration; see the step's log",
            ),
        ],
        ids=["exception", "exit", "stop"],
    )
    def test_a_defect_is_contained_and_its_traceback_logged(self, raised: BaseException, message: str) -> None:
        @make
        def fail(ctx: SyncNodeContext) -> None:
            raise raised

        result = run_node(fail)
        assert result.error is not None
        assert (result.error.code, result.error.message) == ("node-crashed", message)
        assert "Traceback" in result.stderr

    def test_wrong_inputs_never_start_it(self) -> None:
        @make
        async def never(ctx: NodeContext, count: int) -> None:
            raise AssertionError

        error = run_node(never, {"count": "x"}).error
        assert error is not None
        assert error.message == "input 'count' of demo/node: expected `int`, got `str`"


class TestMasking:
    def test_everywhere(self) -> None:
        @make
        async def leak(ctx: NodeContext, inputs: Token) -> dict[str, Any]:
            token = inputs.token.reveal()
            ctx.stdout.write(token[:3])
            ctx.stdout.write(token[3:] + "\n")
            ctx.log.warning(token, title=token)
            ctx.progress(1, token)
            await ctx.run_process(["sh", "-c", 'printf %s "$T"; printf %s "$T" | base64 >&2'], env={"T": token})
            return {"token": token}

        result = run_node(leak, {"token": "geheimnis-12"}, secrets={"OTHER": "x-geheimnis"})
        assert result.stdout == "***\n***"
        assert result.stderr == "***"
        assert [(event.text, event.data.get("title")) for event in result.events] == [("***", "***"), ("***", None)]
        assert result.outputs == {"token": "***"}

    def test_errors(self) -> None:
        @make
        async def leak(ctx: NodeContext, inputs: Token) -> None:
            raise NodeError(f"bad {inputs.token.reveal()}", details={"t": [inputs.token.reveal()]})

        error = run_node(leak, {"token": "geheimnis"}).error
        assert error is not None
        assert (error.message, error.details) == ("bad ***", {"t": ["***"]})

    def test_a_value_that_the_node_masks(self) -> None:
        @make
        async def mask(ctx: NodeContext) -> None:
            ctx.add_mask("geheim")
            ctx.stdout.write("geheim")

        result = run_node(mask)
        assert (result.stdout, result.masks) == ("***", ["geheim"])


class Watch:
    """Lets a test await a line of the step's log."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._loop = asyncio.get_running_loop()
        self.seen = asyncio.Event()

    def __call__(self, record: LogRecord) -> None:
        if record.text == self._text:
            self._loop.call_soon_threadsafe(self.seen.set)


async def cancel_when_ready(function: Any, **options: Any) -> None:
    watch = Watch("ready")
    task = asyncio.create_task(run_node_async(function, on_record=watch, **options))
    await watch.seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class TestCancellation:
    async def test_an_asynchronous_node_cleans_up(self) -> None:
        seen: list[bool] = []

        @make
        async def wait(ctx: NodeContext) -> None:
            ctx.stdout.write("ready\n")
            try:
                await asyncio.Event().wait()
            finally:
                seen.append(ctx.cancelled)

        await cancel_when_ready(wait)
        assert seen == [True]

    async def test_a_thread_that_runs_a_process(self) -> None:
        seen: list[str] = []

        @make
        def wait(ctx: SyncNodeContext) -> None:
            try:
                ctx.run_process(["sh", "-c", "echo ready; exec sleep 100"])
            except NodeCancelled as error:
                seen.append(str(error))
                raise

        await cancel_when_ready(wait)
        assert seen == ["the step was cancelled while a process ran"]

    async def test_a_thread_that_looks_at_cancelled(self) -> None:
        ended = threading.Event()

        @make
        def loop(ctx: SyncNodeContext) -> None:
            ctx.stdout.write("ready\n")
            while not ctx.cancelled:
                threading.Event().wait(0.01)
            ended.set()

        await cancel_when_ready(loop)
        assert ended.is_set()

    async def test_a_thread_that_loops_for_ever_is_interrupted_after_the_grace_period(self) -> None:
        ended = threading.Event()

        @make
        def loop(ctx: SyncNodeContext) -> None:
            ctx.stdout.write("ready\n")
            try:
                while True:
                    pass
            finally:
                ended.set()

        await cancel_when_ready(loop, kill_grace=0.1)
        assert await asyncio.to_thread(ended.wait, 20)

    async def test_a_thread_that_never_looks_is_left_after_the_grace_period(self) -> None:
        release = threading.Event()

        @make
        def stuck(ctx: SyncNodeContext) -> None:
            ctx.stdout.write("ready\n")
            release.wait()

        try:
            await cancel_when_ready(stuck, kill_grace=0.1)
        finally:
            release.set()

    async def test_no_process_is_started_after_it(self) -> None:
        errors: list[str] = []

        @make
        async def stubborn(ctx: NodeContext) -> None:
            ctx.stdout.write("ready\n")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                try:
                    await ctx.run_process(["true"])
                except NodeCancelled as error:
                    errors.append(str(error))
                raise

        await cancel_when_ready(stubborn)
        assert errors == ["the step was cancelled: no further process is started"]


class TestThreads:
    def test_a_synchronous_node_runs_processes(self) -> None:
        @make
        def work(ctx: SyncNodeContext) -> dict[str, int]:
            ctx.stdout.write("first\n")
            code = ctx.run_process([sys.executable, "-c", "print('second')"]).exit_code
            return {"code": code}

        result = run_node(work)
        assert (result.outputs, result.stdout, result.exit_code) == ({"code": 0}, "first\nsecond", 0)

    def test_many_threads_write_whole_lines(self) -> None:
        @make
        def work(ctx: SyncNodeContext) -> None:
            def write(name: str) -> None:
                for number in range(200):
                    ctx.stdout.write(f"{name}{number}\n")

            threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        lines = run_node(work).stdout.splitlines()
        assert sorted(lines) == sorted(f"{name}{number}" for name in "abcd" for number in range(200))


class TestLeftovers:
    def test_a_background_process_serves_the_step_and_ends_with_it(self) -> None:
        @make
        async def serve(ctx: NodeContext) -> dict[str, int]:
            lines: list[Line] = []
            await ctx.run_process(["sh", "-c", "sleep 100 & echo $!"], on_stdout=lines.extend)
            pid = int(lines[0].text)
            os.kill(pid, 0)
            return {"pid": pid}

        pid = run_node(serve).outputs["pid"]
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                state = stat.read().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            state = "gone"
        assert state in {"gone", "Z"}

    def test_the_last_words_of_a_background_process_are_kept(self) -> None:
        script = """
            (trap 'printf bye; exit' TERM; touch ready; while :; do sleep 0.01; done) &
            while [ ! -e ready ]; do sleep 0.01; done
        """

        @make
        async def serve(ctx: NodeContext) -> None:
            await ctx.run_process(["bash", "-c", script])

        assert run_node(serve, kill_grace=60.0).stdout == "bye"


class Typed(NodeOutput):
    count: int


class TestOutputs:
    def test_undeclared_outputs_fail_the_step(self) -> None:
        @make
        async def give(ctx: NodeContext) -> Typed:
            ctx.set_output("extra", 1)
            return Typed(count=1)

        error = run_node(give).error
        assert error is not None
        assert error.message == "demo/node gave the output 'extra', which it does not declare"


class TestEndings:
    """What would end an event loop, and so the host and all its other steps, is an error of the step."""

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (SystemExit(3), "SystemExit: 3"),
            (KeyboardInterrupt(), "KeyboardInterrupt"),
            (GeneratorExit(), "GeneratorExit"),
            (asyncio.CancelledError(), "CancelledError"),
        ],
        ids=lambda value: type(value).__name__,
    )
    @pytest.mark.parametrize("kind", ["asynchronous", "in a thread"])
    async def test_is_an_error_of_the_step(self, kind: str, error: BaseException, said: str) -> None:
        async def end(ctx: NodeContext) -> None:
            del ctx
            await asyncio.sleep(0)
            raise error

        def end_in_thread(ctx: SyncNodeContext) -> None:
            del ctx
            raise error

        node = make(end) if kind == "asynchronous" else make(end_in_thread)
        found = (await run_node_async(node)).error
        assert found is not None
        assert found.code == "node-crashed"
        assert found.message.endswith(f"has a defect: {said}; see the step's log")
