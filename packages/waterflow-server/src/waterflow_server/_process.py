"""The server process: API and interpreter worker on one event loop, from the first connection to the last request."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import ssl
from collections.abc import Generator

import uvicorn
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from waterflow_sdk.codec import CodecError, KeyFile
from waterflow_sdk.wire import GroupsApply

from ._errors import ServerError
from ._ingest import listening_for_ingest, only_ingest
from ._log_store import open_log_store
from ._logging import FIELDS
from ._readiness import Readiness
from ._search_attributes import SearchAttributesError, ensure_search_attributes
from ._temporal import TemporalRefused, connect
from ._tls import TlsFiles, keep_renewed
from .api import Services
from .app import create_app
from .auth import ADMIN_KEY_VARIABLE, Guarding, begin_guarding, read_admin_key
from .catalog import NodeCatalog
from .definitions import Definitions, DefinitionStore
from .edits import Edits, KnownElements
from .engine.worker import create_worker
from .groups import Groups, TableStore, read_groups_file, start_groups
from .logs import FileLogStore, keep_sweeping
from .planner import Planner
from .presence import Agents, forget_unused_manifests
from .runs import RunEdits, Runs
from .schedules import FileSchedules, Schedules, TemporalSchedules
from .secrets import SecretReferences, secret_references
from .settings import Settings, SettingsError
from .submissions import Submissions

_DRAIN = 5  # longest time that open requests get to end, in seconds

_RECONCILE_AGAIN = 10.0

_log = logging.getLogger("waterflow.server")


class PortBusy(ServerError):
    """Another program listens on the port."""

    code = "port-busy"


class WorkerFailed(ServerError):
    """The interpreter's worker ended by itself."""

    code = "worker-failed"


async def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or SIGINT. Raises ServerError."""
    keys = _key_file(settings)
    groups_file = read_groups_file(settings.groups_file) if settings.groups_file else None
    admin_hash = read_admin_key(settings.admin_key_file, os.environ)
    os.environ.pop(ADMIN_KEY_VARIABLE, None)  # nothing that runs in here needs it any more
    with _listening(settings) as listener, listening_for_ingest(settings) as ingest:
        client = await connect(settings.temporal, keys)
        try:
            await ensure_search_attributes(client, settings.temporal.namespace)
        except SearchAttributesError as error:
            raise TemporalRefused(str(error)) from error
        guarding = await begin_guarding(client, asks=settings.asks_for_keys, admin_hash=admin_hash)
        await _run(settings, client, (listener, ingest), groups_file, (secret_references(settings, keys), guarding))


async def _run(
    settings: Settings,
    client: Client,
    listeners: tuple[socket.socket, socket.socket | None],
    groups_file: GroupsApply | None,
    protection: tuple[SecretReferences, Guarding],
) -> None:
    secrets, guarding = protection
    worker = create_worker(client, secrets)
    logs = await open_log_store(settings)
    services = _services(settings, client, worker, logs, protection)
    server = _Server(
        uvicorn.Config(
            only_ingest(create_app(services), listeners[1], settings.port),
            log_config=None,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_DRAIN,
            **settings.tls.options(),
        )
    )
    server.config.load()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stop, services.closing)
    grouping = asyncio.create_task(start_groups(client, services.agents, groups_file), name="groups at start")
    _log.info("serving", extra={FIELDS: {"url": settings.url, "temporal": settings.temporal.address}})
    sweeping = asyncio.create_task(keep_sweeping(logs, services.runs.knows, settings.retention), name="old logs")
    forgetting = asyncio.create_task(forget_unused_manifests(client), name="unused manifests")
    reconciling = asyncio.create_task(_reconcile(services), name="reconcile schedules")
    guarded = asyncio.create_task(guarding.keep_fresh(), name="API keys")
    renewing = asyncio.create_task(_keep_renewed(server.config.ssl, settings.tls), name="certificate")
    try:
        await _until_stopped(server, worker, [each for each in listeners if each], services.closing)
    finally:
        renewing.cancel()
        guarded.cancel()
        sweeping.cancel()
        forgetting.cancel()
        reconciling.cancel()
        grouping.cancel()
        logs.close()
    _log.info("stopped")


async def _keep_renewed(context: ssl.SSLContext | None, files: TlsFiles) -> None:
    if context:
        await keep_renewed(context, files)


async def _until_stopped(
    server: _Server, worker: Worker, listeners: list[socket.socket], closing: asyncio.Event
) -> None:
    working = asyncio.create_task(worker.run(), name="interpreter worker")
    serving = asyncio.create_task(server.serve(sockets=listeners), name="api")
    await asyncio.wait((working, serving), return_when=asyncio.FIRST_COMPLETED)
    failed = working.done()
    server.stop(closing)
    await serving
    # Requests first, then the worker: an answer may wait for a workflow of this process.
    await worker.shutdown()
    (outcome,) = await asyncio.gather(working, return_exceptions=True)
    if failed:
        raise WorkerFailed(f"the interpreter's worker ended by itself: {outcome or 'no reason given'}")


async def _reconcile(services: Services) -> None:
    """What a server that ended in the middle of a change of a definition had begun is finished by the next one."""
    while True:
        try:
            await services.definitions.reconcile()
        except (RPCError, ServerError) as error:
            _log.warning("schedules could not be brought in line with the definitions, again in a moment: %s", error)
            await asyncio.sleep(_RECONCILE_AGAIN)
        else:
            return


def _services(
    settings: Settings,
    client: Client,
    worker: Worker,
    logs: FileLogStore,
    protection: tuple[SecretReferences, Guarding],
) -> Services:
    secrets, guarding = protection
    runs, agents = Runs(client, settings.history_events), Agents(client)
    catalog = NodeCatalog(agents, TableStore(client))
    stored, schedules = DefinitionStore(client), TemporalSchedules(client)
    submissions = Submissions(runs, catalog, secrets=secrets, stored=stored)
    edited = RunEdits(client, runs, KnownElements)
    return Services(
        runs=runs,
        submissions=submissions,
        plans=Planner(submissions, runs, edited, catalog),
        edits=Edits(submissions, runs, edited),
        catalog=catalog,
        agents=agents,
        groups=Groups(client, agents),
        definitions=Definitions(stored, submissions, FileSchedules(stored, schedules), runs),
        schedules=Schedules(schedules, stored, submissions),
        logs=logs,
        health=Readiness(client, settings.temporal.address, lambda: worker.is_running),
        access=guarding.access,
        keys=guarding.keys,
        closing=asyncio.Event(),
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would end the process before the worker has stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def stop(self, closing: asyncio.Event) -> None:
        """Take no new requests, let go of followers, and end when what runs has been answered."""
        closing.set()
        self.should_exit = True


@contextlib.contextmanager
def _listening(settings: Settings) -> Generator[socket.socket]:
    """The socket, bound before anything else is begun, so that a busy port leaves nothing behind; listening comes last.

    Raises PortBusy.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 40 ms for the client's ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise _cannot_listen(settings, error) from error
        yield listener
    finally:
        listener.close()


def _cannot_listen(settings: Settings, error: OSError) -> ServerError:
    if error.errno == errno.EADDRINUSE:
        return PortBusy(
            f"port {settings.port} on {settings.host} is taken by another program; stop it (`waterflow server status` "
            "tells whether it is a Waterflow server) or choose another port with --port or WATERFLOW_PORT",
            {"port": settings.port},
        )
    return SettingsError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}")


def _key_file(settings: Settings) -> KeyFile | None:
    if settings.keys_file is None:
        return None
    try:
        return KeyFile(settings.keys_file)
    except CodecError as error:
        raise SettingsError(f"keys_file: {error}") from error
