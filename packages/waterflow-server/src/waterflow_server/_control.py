"""What ``waterflow server`` does: start here or in the background, stop, say how it is."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import ssl
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from waterflow_sdk.wire import Health

from . import _logging
from ._errors import ServerError
from ._instance import AlreadyRunning, Instance, registered, running
from .settings import Settings, SettingsError

_POLL = 0.1
_START = 60.0
_STOP = 30.0


class StartFailed(ServerError):
    """The server that was started in the background did not become ready; it does not run."""

    code = "start-failed"


def start(settings: Settings) -> int:
    """Run the server in this process until it is told to end. Raises ServerError."""
    _logging.set_up(settings.log_level)
    from ._process import serve

    try:
        with registered(settings):
            asyncio.run(serve(settings))
    except OSError as error:
        raise SettingsError(f"the data directory {settings.data_dir} cannot be used: {error}") from error
    return 0


def start_in_background(settings: Settings, arguments: list[str]) -> int:
    """Start the server as a process of its own and wait until it is ready. Raises StartFailed, AlreadyRunning."""
    if (found := running(settings)) is not None:
        raise AlreadyRunning(f"a Waterflow server already runs at {found.url} (process {found.pid})")
    log = settings.data_dir / "server.log"
    pid = _launch(arguments, log)
    deadline = time.monotonic() + _START
    while (code := _exit_code(pid)) is None:
        if (found := running(settings)) is not None and found.pid == pid and _is_ready(settings):
            sys.stdout.write(f"The server runs at {settings.url} (process {pid}); log: {log}\n")
            return 0
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise StartFailed(f"the server was not ready after {_START:g} s and was ended; its log is {log}")
        time.sleep(_POLL)
    sys.stderr.write(_last_words(log))
    return code if code > 0 else 70


def stop(settings: Settings) -> int:
    """End the running server and wait for it. Raises ServerError when it does not end."""
    found = running(settings)
    if found is None:
        sys.stdout.write(f"No server runs at {settings.url}.\n")
        return 3
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP
    while (still := running(settings)) is not None and still.pid == found.pid:
        if time.monotonic() > deadline:
            raise ServerError(f"process {found.pid} has not ended after {_STOP:g} s; look at its log")
        time.sleep(_POLL)
    sys.stdout.write(f"The server at {found.url} has ended.\n")
    return 0


def status(settings: Settings) -> int:
    """Say whether the server runs and is ready: 0 ready, 69 running but not ready, 3 not running."""
    found, health = running(settings), ask(settings)
    if found is None and health is None:
        sys.stdout.write(f"No server runs at {settings.url}.\n")
        return 3
    if health is None:
        asks = "; tls.client_ca is set, so only who has a certificate of it can ask" if settings.tls.client_ca else ""
        sys.stdout.write(f"{_who(found)}, but it does not answer{asks}.\n")
        return 69
    if health.status != "ok":
        sys.stdout.write(f"{_who(found)}, but it is not ready: {health.reason}.\n")
        return 69
    sys.stdout.write(f"{_who(found)} and is ready. Version {health.version}, Temporal {health.temporal}.\n")
    return 0


def ask(settings: Settings) -> Health | None:
    """What the server at the address says of its health; None when nobody (or somebody else) answers."""
    connection = _connection(settings)
    try:
        connection.request("GET", "/health/ready")
        return msgspec.json.decode(connection.getresponse().read(), type=Health)
    except (OSError, http.client.HTTPException, msgspec.MsgspecError):
        return None
    finally:
        connection.close()


def _connection(settings: Settings) -> http.client.HTTPConnection:
    # http.client knows nothing of proxies in the environment, which must not be asked for an address of this host.
    address = urlsplit(settings.url)
    host, port = address.hostname or "", address.port
    if not settings.tls.on:
        return http.client.HTTPConnection(host, port, timeout=5)
    # Nothing secret is sent, the address is this host's own, and whoever asks how the server is wants to be answered
    # although its certificate has expired or, as usual, is not for 127.0.0.1.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(OSError):  # where its own certificate is none of clients, it is refused
        context.load_cert_chain(settings.tls.cert or "", settings.tls.key)
    return http.client.HTTPSConnection(host, port, timeout=5, context=context)


def _who(found: Instance | None) -> str:
    if found is None:
        return "A server of another data directory runs"
    return f"The server runs at {found.url} (process {found.pid})"


def _launch(arguments: list[str], log: Path) -> int:
    """The process id of the server, in a session of its own, so that it outlives the terminal."""
    log.parent.mkdir(parents=True, exist_ok=True)
    output = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "waterflow_server", *arguments],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            output,
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _exit_code(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _is_ready(settings: Settings) -> bool:
    health = ask(settings)
    if health is None and settings.tls.client_ca:
        return _listens(settings)  # it lets in only who has a certificate, and does so once it has started
    return health is not None and health.status == "ok"


def _listens(settings: Settings) -> bool:
    address = urlsplit(settings.url)
    try:
        socket.create_connection((address.hostname or "", address.port or 0), timeout=5).close()
    except OSError:
        return False
    return True


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    said = [line for line in lines if line.startswith("waterflow server: ")] or lines[-5:]
    return "".join(f"{line}\n" for line in said)
