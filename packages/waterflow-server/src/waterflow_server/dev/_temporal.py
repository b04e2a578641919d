"""The embedded Temporal server: found, started, watched and stopped with its owner."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from ._binary import TemporalBinary
from ._cache import Report
from ._errors import DevError, NotReady, PortInUse, TemporalFailed
from ._find import find_temporal
from ._lock import DataDirectoryLock
from ._ports import LOOPBACK, free_ports, require_free
from ._process import ChildProcess, with_log
from ._settings import TemporalSettings
from ._tuning import TemporalPorts, server_command

NAMESPACE = "default"
# The server takes more ports than the four that are chosen here; another program can be faster on any of them.
_START_ATTEMPTS = 3
_ADDRESS_TAKEN = "address already in use"
# A predecessor that was told to end may need some time to give the data directory back.
_LOCK_PATIENCE = 3.0


def _ignore(text: str) -> None:
    del text


class EmbeddedTemporal:
    """A Temporal server on SQLite that belongs to this process.

        async with EmbeddedTemporal(TemporalSettings.from_environ()) as temporal:
            client = await Client.connect(temporal.address)

    Entering starts it and waits until it is ready: it answers, the namespace `default` keeps closed runs for
    `retention_days` and has Waterflow's search attributes. Its data stays in `data_dir` between starts. It listens on
    127.0.0.1 only. It ends with its owner, even one that is killed (Linux; see the launcher for other systems).

    `crashed` is set when the server ends without being asked to; `crash` then says how, with the last lines of its
    log. Raises TemporalNotFound, TemporalFailed, NotReady, PortInUse or DataDirectoryInUse, all of them DevError.
    """

    def __init__(self, settings: TemporalSettings | None = None, report: Report = _ignore) -> None:
        self._settings = settings or TemporalSettings.from_environ()
        self._report = report
        self._lock: DataDirectoryLock | None = None
        self._child: ChildProcess | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._ports: TemporalPorts | None = None
        self._data_dir = self._settings.data_dir
        self.binary: TemporalBinary | None = None
        self.crashed = asyncio.Event()
        self.crash: TemporalFailed | None = None

    async def __aenter__(self) -> EmbeddedTemporal:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def ports(self) -> TemporalPorts:
        """The ports; raises TemporalFailed before the first start."""
        if self._ports is None:
            raise TemporalFailed("The embedded Temporal server was not started.")
        return self._ports

    @property
    def address(self) -> str:
        """`host:port` of the gRPC frontend, for TEMPORAL_ADDRESS."""
        return f"{LOOPBACK}:{self.ports.frontend}"

    @property
    def namespace(self) -> str:
        """The namespace that is ready to be used."""
        return NAMESPACE

    @property
    def ui_url(self) -> str | None:
        """Address of the web UI; None when it is off."""
        return None if self.ports.ui is None else f"http://{LOOPBACK}:{self.ports.ui}"

    @property
    def metrics_url(self) -> str:
        """Address of the Prometheus metrics."""
        return f"http://{LOOPBACK}:{self.ports.metrics}/metrics"

    @property
    def data_dir(self) -> Path:
        """Where `temporal.db` and `temporal.log` are."""
        return self._data_dir

    @property
    def log(self) -> Path:
        """The log of the server; each start appends."""
        return self._data_dir / "temporal.log"

    @property
    def pid(self) -> int | None:
        """The process of the server; None while it does not run."""
        running = self._child is not None and not self._child.exited.is_set()
        return self._child.pid if self._child and running else None

    async def start(self) -> None:
        """Finds the binary, takes the data directory, starts the server and waits until it is ready."""
        try:
            self.binary = self.binary or await find_temporal(self._settings, self._report)
            await self._take_data_dir()
            await self._launch_and_wait()
        except BaseException:
            await self.stop()
            raise

    async def restart(self) -> None:
        """Ends the server if it still runs and starts it again on the same ports and data."""
        await self._end_child()
        await self._launch()
        await self.ready()

    async def ready(self) -> None:
        """Waits until the server answers and its namespace is prepared. Raises TemporalFailed or NotReady."""
        child = self._running_child()
        preparing = asyncio.create_task(self._prepare())
        ended = asyncio.create_task(child.exited.wait())
        try:
            await asyncio.wait(
                (preparing, ended), timeout=self._settings.start_timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                raise self._failure(child, "did not start")
            if not preparing.done():
                text = f"Temporal did not answer at {self.address} within {self._settings.start_timeout:.0f} s."
                raise NotReady(with_log(text, self.log, child.log_tail()), {"part": "temporal"})
            preparing.result()
        finally:
            await _cancel(preparing, ended)

    def kill(self) -> None:
        """Kills the server at once (SIGKILL), as a crash would; ports and data stay taken for `restart`."""
        self._running_child().kill()

    async def stop(self) -> None:
        """Ends the server (SIGTERM, after `stop_timeout` SIGKILL) and gives the data directory back."""
        await self._end_child()
        if self._lock:
            self._lock.release()
            self._lock = None
        if self._settings.ephemeral and self._data_dir != self._settings.data_dir:
            shutil.rmtree(self._data_dir, ignore_errors=True)
            self._data_dir = self._settings.data_dir

    async def _take_data_dir(self) -> None:
        if self._lock:
            return
        if self._settings.ephemeral:
            self._data_dir = Path(tempfile.mkdtemp(prefix="waterflow-temporal-"))
        self._lock = await DataDirectoryLock.acquire(self._data_dir, _LOCK_PATIENCE)

    async def _launch_and_wait(self) -> None:
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._ports = self._choose_ports()
            await self._launch()
            try:
                await self.ready()
            except TemporalFailed as error:
                if attempt == _START_ATTEMPTS or _ADDRESS_TAKEN not in error.message:
                    raise
                self._report("Another program took a port of Temporal while it started; trying again")
            else:
                return

    def _choose_ports(self) -> TemporalPorts:
        settings = self._settings
        asked = {
            "Temporal": (settings.port, "--temporal-port"),
            "Temporal's HTTP API": (settings.http_port, "the setting http_port"),
            "Temporal's metrics": (settings.metrics_port, "the setting metrics_port"),
            "Temporal's UI": (settings.ui_port if settings.ui else None, "--ui-port"),
        }
        taken: dict[int, str] = {}
        for purpose, (port, option) in asked.items():
            if port is None:
                continue
            if port in taken:
                raise PortInUse(f"Port {port} is asked for twice, for {taken[port]} and for {purpose}.", {"port": port})
            require_free(port, purpose, f"choose another port with {option}")
            taken[port] = purpose
        frontend, http, metrics, ui = free_ports(4)
        return TemporalPorts(
            frontend=settings.port or frontend,
            http=settings.http_port or http,
            metrics=settings.metrics_port or metrics,
            ui=(settings.ui_port or ui) if settings.ui else None,
        )

    async def _launch(self) -> None:
        if self.binary is None or self._lock is None:
            raise TemporalFailed("The embedded Temporal server was not started.")
        self.crashed.clear()
        self.crash = None
        self._child = await ChildProcess.start(
            "Temporal",
            server_command(self.binary.path, self._data_dir / "temporal.db", self.ports),
            log=self.log,
            environ=dict(os.environ),
            # Nothing would be left to kill a server that does not end by SIGTERM; SQLite's log survives SIGKILL.
            death_signal=signal.SIGKILL,
            pass_fds=(self._lock.fd,),
        )
        self._watcher = asyncio.create_task(self._watch(self._child), name="watch for a crash of Temporal")

    async def _watch(self, child: ChildProcess) -> None:
        await child.exited.wait()
        self.crash = self._failure(child, "ended unexpectedly")
        self.crashed.set()

    async def _prepare(self) -> None:
        # Imported here: temporalio takes a quarter of a second and 25 MB, which a failed start should not cost.
        from ._namespace import connect_when_up, prepare_namespace

        client = await connect_when_up(self.address, NAMESPACE)
        await prepare_namespace(client, NAMESPACE, timedelta(days=self._settings.retention_days))

    async def _end_child(self) -> None:
        # The watcher goes first: what happens from here on was asked for and is no crash.
        if self._watcher:
            await _cancel(self._watcher)
            self._watcher = None
        if self._child:
            await self._child.stop(self._settings.stop_timeout)
            self._child = None

    def _running_child(self) -> ChildProcess:
        if self._child is None:
            raise TemporalFailed("The embedded Temporal server was not started.")
        return self._child

    def _failure(self, child: ChildProcess, what: str) -> TemporalFailed:
        text = f"The Temporal server {what}. {child.describe()}."
        details = {"pid": child.pid, "exit_code": child.exit_code, "log": str(self.log)}
        return TemporalFailed(with_log(text, self.log, child.log_tail()), details)


async def _cancel(*tasks: asyncio.Task[object] | asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, DevError):
            await task
