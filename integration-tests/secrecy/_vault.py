"""A real HTTP server that answers as Vault's documentation of KV version 2 says; no Vault is needed on the machine."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Vault:
    """``secrets`` are the fields by path, in the mount ``secret``."""

    token = "hvs.token-of-vault-2208"

    def __init__(self, secrets: Mapping[str, Mapping[str, Any]]) -> None:
        held, token = secrets, self.token

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = held.get(self.path.removeprefix("/v1/secret/data/"))
                if self.headers.get("X-Vault-Token") != token:
                    self._answer(403, {"errors": ["permission denied"]})
                elif found is None:
                    self._answer(404, {"errors": []})
                else:
                    self._answer(200, {"data": {"data": found, "metadata": {"version": 1}}})

            def _answer(self, status: int, body: object) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Vault":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
