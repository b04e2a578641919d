"""Addresses where nobody, or somebody else, is: what is said, the exit code, and that nothing is left running."""

import http.server
import socket
import threading
from collections.abc import Iterator

import aiohttp
import pytest
from harness import Site
from harness.command import Command
from harness.processes import nothing_left_running

from waterflow_server.dev._ports import free_ports

pytestmark = pytest.mark.asyncio(loop_scope="session")

FLOW = "name: x\njobs: {a: {runs-on: web, steps: [run: echo]}}\n"


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    return free_ports(1)[0]


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port where somebody listens who says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def other_server() -> Iterator[str]:
    """Address of a web server that is no Waterflow server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.BaseHTTPRequestHandler):
    """Answers every GET with a page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the output belongs to the tests."""


class TestNoServer:
    @pytest.mark.parametrize(
        "words",
        [
            ("run", "flow.yaml"),
            ("submit", "flow.yaml"),
            ("status", "some-run"),
            ("list",),
            ("logs", "some-run"),
            ("cancel", "some-run"),
            ("node", "list"),
            ("agent", "list"),
        ],
        ids=" ".join,
    )
    async def test_is_said_with_its_address_and_what_to_check(
        self, words: tuple[str, ...], waterflow: Command, closed_port: int
    ):
        (waterflow.home / "flow.yaml").write_text(FLOW)
        with nothing_left_running():
            done = waterflow.run(*words, "--server", f"http://127.0.0.1:{closed_port}", within=90)
        assert (done.code, done.stdout) == (4, "")
        assert done.stderr == (
            f"error: no answer from the server at http://127.0.0.1:{closed_port}: the connection was refused\n"
            "hint: check that the server runs (`waterflow server status`) and its address "
            "(--server or WATERFLOW_SERVER)\n"
        )

    async def test_another_program_is_not_taken_for_one(self, waterflow: Command, other_server: str):
        done = waterflow.run("list", "--server", other_server, within=90)
        assert (done.code, done.stdout) == (4, "")
        assert done.stderr.startswith("error: this is not a Waterflow server: ")
        assert done.stderr.endswith(
            "\nhint: check the server's address (--server or WATERFLOW_SERVER), its port and the path in front of /v1\n"
        )

    @pytest.mark.parametrize("verb", ["status", "stop"])
    async def test_server_status_and_stop_say_that_none_runs(self, verb: str, waterflow: Command, closed_port: int):
        done = waterflow.run("server", verb, "--port", str(closed_port), within=90)
        assert (done.code, done.stdout, done.stderr) == (3, f"No server runs at http://127.0.0.1:{closed_port}.\n", "")


class TestNoTemporal:
    async def test_server_start_ends_with_its_address_and_the_ways_out(self, waterflow: Command, closed_port: int):
        with nothing_left_running():
            done = waterflow.run(
                "server",
                "start",
                "--port",
                str(free_ports(1)[0]),
                TEMPORAL_ADDRESS=f"127.0.0.1:{closed_port}",
                WATERFLOW_TEMPORAL_WAIT="1",
            )
        assert (done.code, done.stdout) == (69, "")
        assert done.stderr.splitlines()[-1] == (
            f"waterflow server: no Temporal server answers at 127.0.0.1:{closed_port} (waited 1 s). Start one, or name "
            "another with --temporal or TEMPORAL_ADDRESS; `waterflow dev` starts a server with its own Temporal"
        )


class TestBusyPort:
    async def test_of_server_start(self, waterflow: Command, busy_port: int):
        with nothing_left_running():
            done = waterflow.run("server", "start", "--port", str(busy_port), within=90)
        assert (done.code, done.stdout) == (75, "")
        assert done.stderr == (
            f"waterflow server: port {busy_port} on 127.0.0.1 is taken by another program; stop it (`waterflow server "
            "status` tells whether it is a Waterflow server) or choose another port with --port or WATERFLOW_PORT\n"
        )

    @pytest.mark.parametrize(
        ("option", "what"),
        [("--port", "the Waterflow server"), ("--temporal-port", "Temporal"), ("--ui-port", "Temporal's UI")],
    )
    async def test_of_dev(self, option: str, what: str, waterflow: Command, busy_port: int):
        with nothing_left_running():
            done = waterflow.run("dev", "--ephemeral", "--agents", "0", option, str(busy_port))
        assert (done.code, done.stdout) == (1, "")
        assert done.stderr == (
            f"waterflow dev: Port {busy_port} for {what} is in use on 127.0.0.1. Stop the program that listens there, "
            f"or choose another port with {option}.\n"
        )
        assert list((waterflow.home / "tmp").iterdir()) == []


class TestWrongPath:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code", "detail"),
        [
            (
                "GET",
                "/v1/workflow",
                404,
                "route-not-found",
                "there is no '/v1/workflow' in this API; did you mean /v1/workflows?",
            ),
            (
                "GET",
                "/v2/workflows",
                404,
                "route-not-found",
                "there is no '/v2/workflows' in this API; did you mean /v1/workflows?",
            ),
            ("GET", "/some/where", 404, "route-not-found", "there is no '/some/where' in this API; see /schema"),
            (
                "DELETE",
                "/v1/workflows",
                405,
                "method-not-allowed",
                "'/v1/workflows' does not take DELETE; it takes GET, OPTIONS, POST",
            ),
            (
                "GET",
                "/v1/workflows/nope",
                404,
                "run-not-found",
                "there is no run 'nope'",
            ),
            (
                "GET",
                "/v1/nodes/http/requst",
                404,
                "node-not-found",
                "no agent has a node 'http/requst'; did you mean 'http/request'?",
            ),
        ],
    )
    async def test_is_answered_with_a_problem(
        self, method: str, path: str, status: int, code: str, detail: str, site: Site
    ):
        async with aiohttp.ClientSession() as session, session.request(method, f"{site.url}{path}") as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, answer.content_type) == (status, "application/problem+json")
        assert problem == problem | {"status": status, "code": code, "detail": detail, "instance": path}

    async def test_before_v1_is_said_by_the_command(self, waterflow: Command, site: Site):
        done = waterflow.run("list", "--server", f"{site.url}/elsewhere", within=90)
        assert (done.code, done.stdout) == (3, "")
        assert done.stderr.startswith(
            "error: there is no '/elsewhere/v1/workflows' in this API; did you mean /v1/workflows?\n"
        )
