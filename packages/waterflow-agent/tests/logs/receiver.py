"""A log server for tests: keeps streams as the real one does, on a real socket, and can be down or deny."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Receiver:
    """Streams by name. ``start`` and ``stop`` may be called again and again; the port and the streams stay."""

    def __init__(self) -> None:
        self.streams: dict[str, bytes] = {}
        self.refuse: tuple[int, str] | None = None
        self.key = ""
        self.denied = 0
        self.drop_answers = 0
        self.changed = threading.Condition()
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                receiver.put(self)

            def log_message(self, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def put(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        stream = unquote(url.path.removeprefix("/v1/logs/"))
        offset = int(parse_qs(url.query)["offset"][0])
        data = request.rfile.read(int(request.headers["Content-Length"]))
        with self.changed:
            if self.key and request.headers["Authorization"] != f"Bearer {self.key}":
                self.denied += 1
                status, body = 401, {"detail": "the key is unknown"}
            else:
                status, body = self._take(stream, offset, data)
            drop, self.drop_answers = self.drop_answers > 0, max(0, self.drop_answers - 1)
            self.changed.notify_all()
        if drop:
            request.close_connection = True
            request.connection.close()
            return
        answer = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def _take(self, stream: str, offset: int, data: bytes) -> tuple[int, dict[str, object]]:
        if self.refuse:
            return self.refuse[0], {"detail": self.refuse[1]}
        held = self.streams.get(stream, b"")
        if offset != len(held):
            return 409, {"expected": len(held), "detail": "another offset is expected"}
        assert data.endswith(b"\n"), "only whole lines are taken"
        self.streams[stream] = held + data
        return 200, {"offset": len(held) + len(data)}

    def wait_for(self, stream: str, data: bytes, within: float = 60.0) -> None:
        """Returns as soon as the stream is exactly that long, and fails if it is not the same."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.streams.get(stream, b"")) >= len(data), within)
            assert self.streams.get(stream, b"") == data
