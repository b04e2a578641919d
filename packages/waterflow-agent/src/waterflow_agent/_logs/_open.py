"""Spool and shipper together, as the agent uses them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from .._api_key import ApiKey
from .._errors import StateError
from .._notices import Notices
from .._settings import AgentSettings
from .._tls import TlsFiles
from ._attempt_log import AttemptLog
from ._replay import Replay
from ._spool import Spool

if TYPE_CHECKING:
    from ._shipper import Shipper

logger = logging.getLogger("waterflow.agent")


class Logs:
    """The step logs of this agent."""

    def __init__(self, settings: AgentSettings, agent: str, notices: Notices) -> None:
        self._settings = settings
        directory = settings.spool_dir
        try:
            self._spool = Spool(directory)
        except OSError as error:
            raise StateError(
                f"step logs cannot be written to {directory}: {error.strerror}; give another place with --log-dir"
            ) from error
        self._shipper: Shipper | None = None
        if settings.server_address:
            from ._http import LogConnection  # http.client takes a megabyte
            from ._shipper import Shipper

            connection = LogConnection(settings.server_address, _key(settings), agent, _tls(settings))
            self._shipper = Shipper(self._spool, connection, notices)

    def start(self) -> None:
        """Begins to ship."""
        if self._shipper:
            self._shipper.start()
        else:
            logger.warning("no server address is set, so step logs stay on this host")

    def open(self, stream: str) -> AttemptLog:
        """The log of one attempt, to go on where it ends. Raises OSError."""
        file = self._spool.create(stream)
        if self._shipper is None:
            return AttemptLog(stream, file, _ignore, _ignore, self._settings.log_max_bytes)
        return AttemptLog(stream, file, self._shipper.written, self._shipper.ended, self._settings.log_max_bytes)

    def goes_on(self, stream: str) -> None:
        """Before :meth:`start`: the attempt of this log is not over, though a former incarnation began it."""
        if self._shipper:
            self._shipper.written(stream)

    def go_on(self, stream: str) -> AttemptLog:
        """The log of such an attempt: what its step said before is passed over. Raises OSError."""
        file = self._spool.create(stream)
        written, ended = (self._shipper.written, self._shipper.ended) if self._shipper else (_ignore, _ignore)
        return AttemptLog(stream, file, written, ended, self._settings.log_max_bytes, Replay(file.path))

    def stop(self, within: float) -> None:
        """Ships what is left, for at most that many seconds; blocks."""
        if self._shipper and not self._shipper.stop(within):
            logger.info("some step logs are not shipped yet; they are sent after the next start")

    def clean(self) -> None:
        """Removes shipped logs that are old, and others that nobody took for very long."""
        self._spool.forget(self._settings.log_keep, 4 * self._settings.log_keep)


def _key(settings: AgentSettings) -> ApiKey:
    """A file is checked once, at the start; another key in it is used as soon as it is there."""
    key = ApiKey("server", settings.server_api_key, settings.server_api_key_file)
    key.value()
    return key


def _tls(settings: AgentSettings) -> TlsFiles:
    """The files are checked once, at the start; renewed ones are read with each new connection."""
    from ._http import SERVER_TLS

    files = msgspec.structs.replace(
        SERVER_TLS, ca=settings.server_ca, cert=settings.server_cert, key=settings.server_key
    )
    if files.any:
        files.context()
    return files


def _ignore(stream: str) -> None:
    del stream
