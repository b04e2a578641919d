"""Attempts: run once, adopted, stopped, fenced; and the outcome says why."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from waterflow_agent import _clock
from waterflow_agent._abilities import Abilities
from waterflow_agent._attempts import AttemptBook
from waterflow_agent._confinement import Users
from waterflow_agent._crashes import Crashes
from waterflow_agent._execute import Freshness
from waterflow_agent._journal import Journal
from waterflow_agent._logs import Logs
from waterflow_agent._notices import Notices
from waterflow_agent._registry import NodeRegistry
from waterflow_agent._runner import Runner
from waterflow_agent._secrets import SecretResolver
from waterflow_agent._settings import AgentSettings
from waterflow_agent._stop import StopReason
from waterflow_agent._workspace import Workspaces
from waterflow_sdk.codec import PayloadCodec
from waterflow_sdk.node import Node, NodeContext, NodeError, NodeInput, SyncNodeContext
from waterflow_sdk.secrets import AllowList, SecretSources
from waterflow_sdk.wire import ErrorInfo, LogRecord, NodeTask, State

from .conftest import AGENT, key


class Script(Node):
    """Runs a shell script."""

    name = "script"
    version = "1.0.0"

    class Input(NodeInput):
        run: str

    async def execute(self, ctx: NodeContext, inputs: Input) -> dict[str, Any]:
        result = await ctx.run_process(["sh", "-c", inputs.run])
        return {"exit": result.exit_code}


class Shell(Script):
    """What `run:` is."""

    name = "shell"


class Stubborn(Node):
    """Ends when the test lets it, and not before."""

    name = "stubborn"
    version = "1.0.0"
    released: asyncio.Event

    async def execute(self, ctx: NodeContext, inputs: dict[str, Any]) -> None:
        del ctx, inputs
        while not self.released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.released.wait()


class Loop(Node):
    """A synchronous node that looks whether it is cancelled."""

    name = "loop"
    version = "1.0.0"

    def execute(self, ctx: SyncNodeContext, inputs: dict[str, Any]) -> None:
        del inputs
        while not ctx.cancelled:
            time.sleep(0.01)


class Hostile(Node):
    """Gives what no outcome can hold."""

    name = "hostile"
    version = "1.0.0"

    async def execute(self, ctx: NodeContext, inputs: dict[str, Any]) -> dict[str, Any]:
        nasty: Any
        match inputs["how"]:
            case "surrogates":
                ctx.stdout.write("the file \udcff\n")
                ctx.log.info("the file \udcff")
                raise NodeError("no file \udcff", code="co\udcffde", details={"file \udcff": ["\udcff"]})
            case "objects":
                nasty = object
                raise NodeError(nasty, code=nasty, retryable=nasty, details={"what": {1: nasty}}, exit_code=nasty)
            case "large details":
                raise NodeError("x" * 10_000_000, details={"text": "x" * 10_000_000})
            case "large environment":
                ctx.set_env("LARGE", "x" * 10_000_000)
            case "an output that is not UTF-8":
                return {"file": "\udcff"}
            case "an environment that is not UTF-8":
                ctx.set_env("FILE", "\udcff")
            case "a path that is not UTF-8":
                ctx.add_path("\udcff")
            case "a mask that is not UTF-8":
                ctx.add_mask("\udcff\udcff")
            case _:
                raise Unreadable("no")
        return {}


class Unreadable(NodeError):
    """An error of a stranger that is itself broken."""

    def to_info(self) -> ErrorInfo:
        raise RuntimeError("not today")


class Deaf(Node):
    """A synchronous node that loops for ever."""

    name = "deaf"
    version = "1.0.0"
    ended: threading.Event

    def execute(self, ctx: SyncNodeContext, inputs: dict[str, Any]) -> None:
        del inputs
        try:
            while True:
                ctx.progress(50)
        finally:
            self.ended.set()


class Ending(Node):
    """Says that it was cancelled, and was not."""

    name = "ending"
    version = "1.0.0"

    async def execute(self, ctx: NodeContext, inputs: dict[str, Any]) -> None:
        del ctx, inputs
        raise asyncio.CancelledError


class Exec(Node):
    """Needs Docker."""

    name = "exec"
    version = "1.0.0"
    capabilities = ("docker 20",)

    async def execute(self, ctx: NodeContext, inputs: dict[str, Any]) -> None:
        del ctx, inputs


@pytest.fixture
def tools() -> dict[str, str]:
    """The capabilities of the host."""
    return {}


@pytest.fixture
async def book(tmp_path: Path, journal: Journal, tools: dict[str, str]) -> AsyncIterator[AttemptBook]:
    """A book whose attempts really run."""
    registry = NodeRegistry()
    for node in (Script, Shell, Stubborn, Loop, Hostile, Deaf, Ending, Exec):
        registry.add(node, "tests")

    async def find() -> dict[str, str]:
        return dict(tools)

    runner = Runner(
        agent=AGENT,
        registry=registry,
        journal=journal,
        logs=Logs(AgentSettings(state_dir=tmp_path), "web-01", Notices()),
        workspaces=Workspaces(tmp_path / "work"),
        secrets=SecretResolver(PayloadCodec(), SecretSources("agent web-01", AllowList())),
        users=Users(),
        abilities=Abilities(find),
        crashes=Crashes(tmp_path, registry),
        script_timeout=SCRIPT_TIMEOUT,
    )
    book = AttemptBook(journal, "i1", runner)
    yield book
    await book.stop_all(StopReason.CANCELLED)
    await asyncio.sleep(0.01)  # asyncio closes pipes some turns of the loop after it was told to


MakeTask = Callable[..., NodeTask]
SCRIPT_TIMEOUT = 3.0


def log_text(tmp_path: Path) -> list[str]:
    data = (tmp_path / "logs/open/r1/build/steps[0].1.log").read_bytes()
    return [msgspec.json.decode(line, type=LogRecord).text for line in data.splitlines()]


class TestOutcome:
    async def test_of_a_success(self, book: AttemptBook, make_task: MakeTask, tmp_path: Path) -> None:
        outcome = await book.start(make_task("script", {"run": "echo one; echo two >&2"})).ended
        assert (outcome.state, outcome.outputs, outcome.exit_code) == (State.SUCCESS, {"exit": 0}, 0)
        assert sorted(log_text(tmp_path)) == ["", "", "one", "two"]
        assert outcome.log is not None
        assert (outcome.log.stream, outcome.log.lines) == ("r1/build/steps[0].1", 4)

    async def test_of_a_node_that_is_not_there(self, book: AttemptBook, make_task: MakeTask) -> None:
        outcome = await book.start(make_task("nothing")).ended
        assert outcome.error is not None
        assert (outcome.state, outcome.error.code) == (State.FAILED, "node-missing")
        assert outcome.error.message == "agent web-01 has no node 'nothing'"

    async def test_of_a_node_that_the_host_is_not_fit_for(self, book: AttemptBook, make_task: MakeTask) -> None:
        outcome = await book.start(make_task("exec")).ended
        assert outcome.error is not None
        assert (outcome.state, outcome.error.code) == (State.FAILED, "capability-missing")
        assert outcome.error.message == "agent web-01 has no 'docker', which node 'exec' needs"

    async def test_of_a_node_whose_tool_came_a_moment_ago(
        self, book: AttemptBook, make_task: MakeTask, tools: dict[str, str]
    ) -> None:
        tools["docker"] = "28.2.2"
        assert (await book.start(make_task("exec")).ended).state is State.SUCCESS

    async def test_of_a_node_that_has_crashed_the_agent_too_often(
        self, book: AttemptBook, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Crashes, "objection", lambda _crashes, found: f"leaves {found.manifest.name} alone")
        outcome = await book.start(make_task("script", {"run": "true"})).ended
        assert outcome.error is not None
        assert (outcome.error.code, outcome.error.message) == ("node-crashed", "agent web-01 leaves script alone")

    async def test_of_a_bad_input(self, book: AttemptBook, make_task: MakeTask) -> None:
        outcome = await book.start(make_task("script", {"rnu": "true"})).ended
        assert outcome.error is not None
        assert outcome.error.message == "script has no input 'rnu'; did you mean 'run'?"

    async def test_is_returned_for_the_same_key_again(self, book: AttemptBook, make_task: MakeTask) -> None:
        outcome = await book.start(make_task("script", {"run": "true"})).ended
        again = book.ended(key())
        assert again == msgspec.structs.replace(outcome, adopted=True)
        assert book.ended(key(attempt=2)) is None

    async def test_without_a_journal_nothing_is_started(
        self, book: AttemptBook, make_task: MakeTask, tmp_path: Path
    ) -> None:
        (tmp_path / "attempts").rmdir()
        with pytest.raises(FileNotFoundError):
            book.start(make_task("script", {"run": f"touch {tmp_path}/ran"}))
        assert book.living == []
        assert not (tmp_path / "ran").exists()


class TestWhatNoOutcomeCanHold:
    """It ends the step with an error that says so. The step ends in any case: nobody waits for it for ever."""

    @pytest.mark.parametrize(
        ("how", "code", "message"),
        [
            ("surrogates", "co\ufffdde", "no file \ufffd"),
            ("objects", "<class 'object'>", "<class 'object'>"),
            ("large details", "node-error", "x" * 8000 + "…"),
            (
                "large environment",
                "outcome-too-large",
                "what the step gave takes 10,000,… bytes, at most 1,048,576 are allowed; the largest part: environment",
            ),
            (
                "an output that is not UTF-8",
                "invalid-output",
                "hostile gave the output 'file', which is no JSON: 'utf-8' codec can't encode character '\\udcff' in "
                "position 0: surrogates not allowed",
            ),
            (
                "an environment that is not UTF-8",
                "invalid-input",
                "the environment variable FILE holds characters that are not UTF-8",
            ),
            (
                "a path that is not UTF-8",
                "invalid-input",
                "'\ufffd' cannot be added to PATH: it holds characters that are not UTF-8",
            ),
            (
                "a broken error",
                "node-error",
                "Unreadable that cannot be read: RuntimeError: not today",
            ),
        ],
    )
    async def test_is_told(self, book: AttemptBook, make_task: MakeTask, how: str, code: str, message: str) -> None:
        outcome = await asyncio.wait_for(book.start(make_task("hostile", {"how": how})).ended, 60)
        assert outcome.error is not None
        said = re.sub(r"10,000,\d{3}", "10,000,…", outcome.error.message)
        assert (outcome.state, outcome.error.code, said) == (State.FAILED, code, message)
        assert book.ended(key()) == msgspec.structs.replace(outcome, adopted=True)

    async def test_its_lines_have_a_mark_in_place_of_what_is_not_utf_8(
        self, book: AttemptBook, make_task: MakeTask, tmp_path: Path
    ) -> None:
        await book.start(make_task("hostile", {"how": "surrogates"})).ended
        assert log_text(tmp_path)[1:3] == ["the file \ufffd", "the file \ufffd"]

    async def test_a_mask_that_can_stand_in_no_text_is_none(self, book: AttemptBook, make_task: MakeTask) -> None:
        outcome = await book.start(make_task("hostile", {"how": "a mask that is not UTF-8"})).ended
        assert (outcome.state, outcome.masks) == (State.SUCCESS, [])


class TestSecrets:
    async def test_are_masked_before_they_touch_the_disk(
        self, book: AttemptBook, make_task: MakeTask, tmp_path: Path
    ) -> None:
        script = 'echo "$TOKEN"; printf %s "$TOKEN" | base64; printf hidden-; sleep 0.05; echo value'
        task = make_task("script", {"run": script}, env={"TOKEN": "hidden-value"}, secrets={"TOKEN": "hidden-value"})
        await book.start(task).ended
        assert log_text(tmp_path)[1:-1] == ["***", "***", "***"]
        spooled = b"".join(path.read_bytes() for path in (tmp_path / "logs").rglob("*") if path.is_file())
        assert b"hidden-value" not in spooled
        assert b"aGlkZGVuLXZhbHVl" not in spooled

    async def test_the_agents_own_settings_are_not_for_steps(
        self, book: AttemptBook, make_task: MakeTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WATERFLOW_API_KEY", "hidden-value")
        monkeypatch.setenv("TEMPORAL_API_KEY", "hidden-value")
        await book.start(make_task("script", {"run": "env | grep -E 'WATERFLOW|TEMPORAL'"})).ended
        assert log_text(tmp_path)[1:-1] == ["WATERFLOW_ATTEMPT=r1/build/steps[0].1"]


class TestStop:
    @pytest.mark.parametrize("node", ["script", "loop"])
    async def test_cancelled(self, book: AttemptBook, make_task: MakeTask, node: str) -> None:
        inputs = {"run": "echo up; sleep 60"} if node == "script" else {}
        attempt = book.start(make_task(node, inputs))
        await asyncio.sleep(0.1)
        attempt.stop(StopReason.CANCELLED)
        outcome = await asyncio.wait_for(attempt.ended, 60)
        assert outcome.error is not None
        assert (outcome.state, outcome.error.message) == (State.CANCELLED, "the step was cancelled")

    async def test_timed_out_with_the_last_lines(self, book: AttemptBook, make_task: MakeTask) -> None:
        outcome = await book.start(make_task("script", {"run": "echo up; sleep 60"}, timeout=3.0)).ended
        assert outcome.error is not None
        assert outcome.state is State.TIMED_OUT
        assert outcome.error.message == "the step did not end within 3 s and was killed"
        assert outcome.error.details["tail"] == ["up"]

    async def test_a_script_without_a_timeout_has_the_agents(self, book: AttemptBook, make_task: MakeTask) -> None:
        outcome = await book.start(make_task("shell", {"run": "echo up; sleep 60"})).ended
        assert outcome.error is not None
        assert (outcome.state, outcome.error.code) == (State.TIMED_OUT, "timed-out")
        assert outcome.error.message == (
            "the step did not end within 3 s (the agent's `nodes.script_timeout`) and was killed"
        )
        assert outcome.error.details["tail"] == ["up"]

    async def test_a_process_that_ignores_term_is_killed_after_the_grace(
        self, book: AttemptBook, make_task: MakeTask
    ) -> None:
        script = "trap '' TERM; while true; do sleep 0.05; done"
        attempt = book.start(make_task("script", {"run": script}, timeout=0.1, kill_grace=0.2))
        outcome = await asyncio.wait_for(attempt.ended, 60)
        assert outcome.state is State.TIMED_OUT

    async def test_a_node_that_never_ends_is_left_behind(
        self, book: AttemptBook, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waterflow_agent._runner._PATIENCE", 0.1)
        monkeypatch.setattr(Stubborn, "released", asyncio.Event(), raising=False)
        outcome = await book.start(make_task("stubborn", timeout=0.05, kill_grace=0.1)).ended
        assert outcome.state is State.TIMED_OUT
        Stubborn.released.set()

    async def test_a_thread_that_loops_for_ever_is_interrupted(
        self, book: AttemptBook, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(Deaf, "ended", threading.Event(), raising=False)
        outcome = await book.start(make_task("deaf", timeout=0.05, kill_grace=0.1)).ended
        assert outcome.state is State.TIMED_OUT
        assert await asyncio.to_thread(Deaf.ended.wait, 60)
        assert log_text(tmp_path)[-1] == "the step did not end within 0.05 s and was killed"

    async def test_a_node_that_cancels_itself_has_failed(self, book: AttemptBook, make_task: MakeTask) -> None:
        outcome = await asyncio.wait_for(book.start(make_task("ending")).ended, 60)
        assert outcome.error is not None
        assert (outcome.state, outcome.error.code) == (State.FAILED, "node-crashed")

    async def test_the_first_reason_counts(self, book: AttemptBook, make_task: MakeTask) -> None:
        attempt = book.start(make_task("script", {"run": "sleep 60"}))
        attempt.stop(StopReason.FENCED, 3)
        attempt.stop(StopReason.CANCELLED)
        outcome = await attempt.ended
        assert outcome.error is not None
        assert outcome.error.message == "the agent had no contact to Temporal for 3 s, so it ended the step"


class TestFence:
    async def test_without_contact_the_attempt_ends(self, book: AttemptBook, make_task: MakeTask) -> None:
        attempt = book.start(make_task("script", {"run": "sleep 60"}, fence_after=0.3))
        outcome = await asyncio.wait_for(attempt.ended, 60)
        assert outcome.error is not None
        assert outcome.error.code == "fenced"

    async def test_contact_keeps_it(self, book: AttemptBook, make_task: MakeTask) -> None:
        attempt = book.start(make_task("script", {"run": "sleep 4"}, fence_after=3.0))
        while not attempt.ended.done():
            attempt.contact(_clock.elapsed())
            await asyncio.wait([attempt.ended], timeout=0.1)
        assert attempt.ended.result().state is State.SUCCESS


class TestFreshness:
    def test_nothing_is_fresh_before_the_clocks_are_known(self) -> None:
        assert not Freshness().fresh(0.01)

    @pytest.mark.parametrize("skew", [0.0, -60.0, 60.0], ids=["same clock", "ours is behind", "ours is ahead"])
    def test_judges_by_the_usual_delay(self, skew: float) -> None:
        freshness = Freshness()
        delays = [0.01, 0.02, 14.0, 0.3]
        assert [freshness.fresh(skew + delay) for delay in delays] == [False, True, False, True]


def runs(pid: str) -> bool:
    """Whether a process runs; one that has ended and was not collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def words_in(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


async def pids(path: Path, count: int) -> list[str]:
    async with asyncio.timeout(60):
        while len(words_in(path)) < count:
            await asyncio.sleep(0.01)
    return words_in(path)


class TestDaemon:
    """Forked into a session of its own, away from the process group of the step: it ends with the step all the same."""

    async def test_ends_when_the_step_has_ended(self, book: AttemptBook, make_task: MakeTask, tmp_path: Path) -> None:
        marks = tmp_path / "marks"
        daemon = f"(setsid sh -c 'echo $$ >> {marks}; exec sleep 60' &) </dev/null >/dev/null 2>&1"
        script = f"{daemon}; while ! test -s {marks}; do sleep 0.01; done"
        outcome = await book.start(make_task("script", {"run": script})).ended
        assert outcome.state is State.SUCCESS
        assert not any(runs(pid) for pid in await pids(marks, 1))

    async def test_that_ignores_term_is_killed_with_a_step_that_is_stopped(
        self, book: AttemptBook, make_task: MakeTask, tmp_path: Path
    ) -> None:
        marks = tmp_path / "marks"
        daemon = f"(setsid sh -c 'trap \"\" TERM; echo $$ >> {marks}; while :; do sleep 1; done' &)"
        attempt = book.start(make_task("script", {"run": f"{daemon}; echo $$ >> {marks}; sleep 60"}, kill_grace=0.3))
        found = await pids(marks, 2)
        attempt.stop(StopReason.CANCELLED)
        assert (await attempt.ended).state is State.CANCELLED
        assert not any(runs(pid) for pid in found)

    async def test_of_another_attempt_is_left_alone(
        self, book: AttemptBook, make_task: MakeTask, tmp_path: Path
    ) -> None:
        marks = tmp_path / "marks"
        other = book.start(make_task("script", {"run": f"echo $$ >> {marks}; sleep 60"}, key=key("other")))
        (pid,) = await pids(marks, 1)
        await book.start(make_task("script", {"run": "true"})).ended
        assert runs(pid)
        other.stop(StopReason.CANCELLED)
        await other.ended
