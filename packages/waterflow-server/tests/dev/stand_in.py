"""Small programs that stand for the Waterflow server and agent: the stack is tested as what it is, a supervisor.

stand_in.py server PORT | agent | ends | lazy-server PORT
"""

import json
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

JOURNAL = Path(os.environ["STAND_IN_JOURNAL"])


def note(text: str) -> None:
    """One line in the journal that the tests read."""
    with JOURNAL.open("a") as file:
        file.write(f"{text}\n")


def temporal_answers() -> bool:
    """Whether the Temporal server of this stack is up."""
    host, port = os.environ["TEMPORAL_ADDRESS"].split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


class Handler(BaseHTTPRequestHandler):
    """The two questions that the stack asks."""

    def do_GET(self) -> None:
        ready = sys.argv[1] == "server"
        agents = sorted((Path(os.environ["WATERFLOW_DATA_DIR"]).parent / "agents").glob("*/online"))
        listed = [{"name": entry.parent.name, "status": "online"} for entry in agents]
        if self.path == "/v1/agents":
            self._answer(200, listed)
        else:
            self._answer(200 if ready else 503, {"status": "ok" if ready else "unavailable"})

    def _answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def serve() -> None:
    """Answers until SIGTERM."""
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait({signal.SIGTERM})
    note(f"server stopped, Temporal {'up' if temporal_answers() else 'gone'}")


def work() -> None:
    """Is online until SIGTERM; leaves its environment in its state directory."""
    state = Path(os.environ["WATERFLOW_STATE_DIR"])
    state.mkdir(parents=True, exist_ok=True)
    (state / "environ.json").write_text(json.dumps(dict(os.environ)))
    (state / "online").touch()
    signal.sigwait({signal.SIGTERM})
    note("agent stopped")


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
match sys.argv[1]:
    case "server" | "lazy-server":
        serve()
    case "agent":
        work()
    case "ends":
        note("started")
        sys.exit("the disk is on fire")
