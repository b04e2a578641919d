"""An S3-compatible server: Versity's gateway over a directory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waterflow_server.dev._ports import free_ports
from waterflow_server.logs import BucketAddress, Credentials, S3LogStore

HOW = "Run `make versitygw` and set WATERFLOW_VERSITYGW_BINARY to what it prints, or put versitygw on PATH."

KEYS = Credentials(key_id="waterflow", secret="a-secret-of-the-test")
BUCKET = "logs"


class Gateway:
    """The gateway process; its directory and its port stay when it is killed."""

    def __init__(self, binary: Path, root: Path) -> None:
        self._binary = binary
        self._root = root
        (root / BUCKET).mkdir(parents=True)
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> BucketAddress:
        """For a log store."""
        return BucketAddress(endpoint=f"http://127.0.0.1:{self.port}", bucket=BUCKET, prefix="waterflow/")

    @property
    def environ(self) -> dict[str, str]:
        """For a server process."""
        return {
            "WATERFLOW_LOGS_STORE": "s3",
            "WATERFLOW_LOGS_ENDPOINT": self.address.endpoint,
            "WATERFLOW_LOGS_BUCKET": BUCKET,
            "AWS_ACCESS_KEY_ID": KEYS.key_id,
            "AWS_SECRET_ACCESS_KEY": KEYS.secret,
        }

    def objects(self) -> list[str]:
        """Names of what is there, from the gateway's own directory."""
        top = self._root / BUCKET / "waterflow"
        return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())

    def start(self) -> None:
        """Returns when it answers."""
        environ = {"PATH": os.environ["PATH"], "ROOT_ACCESS_KEY": KEYS.key_id, "ROOT_SECRET_KEY": KEYS.secret}
        words = [self._binary, "--port", f"127.0.0.1:{self.port}", "--quiet", "--keep-alive", "posix"]
        with (self._root.parent / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*words, "--sidecar", self._sidecar(), self._root], env=environ, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, (self._root.parent / "gateway.log").read_text()
                assert time.monotonic() < deadline, "the gateway does not answer"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """``kill -9``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)

    def _sidecar(self) -> Path:
        """Metadata beside the files: not every file system has extended attributes."""
        place = self._root.parent / "metadata"
        place.mkdir(exist_ok=True)
        return place


@contextmanager
def running_gateway(binary: Path, root: Path) -> Iterator[Gateway]:
    """A gateway that answers; killed at the end."""
    gateway = Gateway(binary, root / "s3")
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.kill()


async def texts(store: S3LogStore, after: str | None = None, run: str = "r1") -> list[str]:
    """The lines of a run, behind a cursor if one is given."""
    return [line.text async for batch in store.read(run, after) for line in batch.lines]
