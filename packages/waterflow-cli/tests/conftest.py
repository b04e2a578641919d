"""A scripted HTTP server that speaks the API, and ``waterflow`` called in this process or in one of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from waterflow_cli import _plugins, main
from waterflow_sdk.wire import AgentRef, JobState, LogEventKind, LogLine, LogStreamKind, RunState, State, SubmitResponse

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HELLO = "name: hello\njobs:\n  greet:\n    steps:\n      - {id: say, name: Say hello, run: echo hello}\n"
RUN_URL = "http://flow.example.com/runs/r1"


class Server:
    """Answers ``"GET /path"`` as told, in a thread; keeps what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, bytes, dict[str, str]]] = []
        self.asked = threading.Event()
        self._routes: dict[str, list[Any]] = {}

    def on(self, route: str, *answers: Any) -> None:
        """Give these answers in turn, the last one for ever: a value, ``(status, problem)``, or a handler."""
        self._routes[route] = list(answers)

    def body(self, route: str, type: type[Any]) -> Any:
        """The body of the last request to a route."""
        return msgspec.json.decode([body for asked, body, _ in self.requests if asked == route][-1], type=type)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        route = f"{request.method} {request.path}"
        self.requests.append((route, await request.read(), dict(request.query)))
        answers = self._routes.get(route)
        if not answers:
            return answer_problem(404, "not-found", f"there is no {request.path}")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            return await answer(request)
        if isinstance(answer, tuple):
            return answer_problem(*answer)
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def answer_problem(status: int, code: str, detail: str, errors: list[Any] | None = None) -> web.Response:
    body = {
        "type": "about:blank",
        "title": "x",
        "status": status,
        "code": code,
        "detail": detail,
        "errors": errors or [],
    }
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/problem+json")


@pytest.fixture
def server() -> Iterator[Server]:
    scripted = Server()
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", scripted.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        scripted.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(60)
    yield scripted
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


class Result(msgspec.Struct):
    """What a call left."""

    code: int
    out: str
    err: str


Waterflow = Callable[..., Result]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("WATERFLOW_") or name in {"NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)


@pytest.fixture
def waterflow(capfd: pytest.CaptureFixture[str]) -> Waterflow:
    """``waterflow ARGS`` in this process."""

    def call(*argv: str) -> Result:
        _plugins._installed.cache_clear()
        code = main(list(argv))
        return Result(code, *capfd.readouterr())

    return call


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """``waterflow ARGS`` in a process of its own, with the distributions of ``site`` in front of all others."""

    def start(*argv: str, **options: Any) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), **options.pop("env", {})}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        command = [sys.executable, "-m", "waterflow_cli", *argv]
        running = subprocess.Popen(command, env=env, text=True, encoding="utf-8", **{**pipes, **options})
        started.append(running)
        return running

    started: list[subprocess.Popen[str]] = []
    yield start
    for running in started:
        running.kill()
        with running:  # closes its pipes
            pass


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], Path]:
    """Install a distribution with one command into ``site``: its name, the command's name, the code of its module."""

    def install(name: str, command: str, code: str) -> Path:
        site = tmp_path / "site"
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[waterflow.commands]\n{command} = {name}_commands:main\n")
        (site / f"{name}_commands.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))
        return site

    return install


@pytest.fixture
def hello(tmp_path: Path) -> str:
    """The name of a workflow file."""
    path = tmp_path / "hello.yaml"
    path.write_text(HELLO)
    return str(path)


def run_state(state: State, **changes: Any) -> RunState:
    """A run of ``hello.yaml`` on host web-01."""
    job = JobState(
        id="greet",
        instance="greet",
        name="greet",
        state=state,
        agent=AgentRef(id="a1", name="web-01"),
        started=NOW,
        ended=NOW + timedelta(seconds=12) if state.ended else None,
        reason=changes.pop("job_reason", ""),
        error=changes.pop("job_error", None),
        outputs=changes.pop("job_outputs", {}),
        steps=changes.pop("steps", []),
        kept_from=changes.pop("kept_from", None),
    )
    ended = NOW + timedelta(seconds=12) if state.ended else None
    return RunState(id="r1", name="hello", state=state, submitted=NOW, started=NOW, ended=ended, jobs=[job], **changes)


def log_lines() -> list[LogLine]:
    """What one step of one line leaves."""
    place: dict[str, Any] = {"job": "greet", "step": "steps[0]", "attempt": 1, "agent": "a1", "time": NOW}
    event = LogStreamKind.EVENT
    return [
        LogLine(cursor="1", stream=event, event=LogEventKind.STEP_STARTED, data={"name": "Say hello"}, **place),
        LogLine(cursor="2", stream=LogStreamKind.STDOUT, text="hello", **place),
        LogLine(cursor="3", stream=event, event=LogEventKind.STEP_ENDED, data={"state": "success"}, **place),
    ]


def sse(lines: list[LogLine], end: bytes = b'event: end\ndata: {"state":"success"}\n\n') -> Any:
    """A handler that sends the log as events, from the last one that was received."""

    async def handler(request: web.Request) -> web.StreamResponse:
        after = int(request.headers.get("Last-Event-ID", "0"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for line in lines[after:]:
            await response.write(
                b"event: log\nid: %b\ndata: %b\n\n" % (line.cursor.encode(), msgspec.json.encode(line))
            )
        await response.write(end)
        return response

    return handler


@pytest.fixture
def answers(server: Server) -> Callable[..., None]:
    """Make the server run ``hello.yaml`` to a state."""

    def script(state: State = State.SUCCESS, **changes: Any) -> None:
        server.on("POST /v1/workflows", SubmitResponse(id="r1", url=RUN_URL))
        ended = run_state(state, **changes)
        server.on("GET /v1/workflows/r1", run_state(State.RUNNING), ended)
        server.on("GET /v1/workflows/r1/logs", sse(log_lines()))

    return script


@pytest.fixture
def tools() -> Any:
    """The builders above, for tests."""

    class Tools:
        run_state = staticmethod(run_state)
        log_lines = staticmethod(log_lines)
        sse = staticmethod(sse)
        now = NOW
        url = RUN_URL

    return Tools
