"""The process of an agent: logging, signals, exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from datetime import UTC, datetime

import msgspec
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig

from ._agent import Agent
from ._errors import AgentError, SettingsError
from ._guard import no_exit
from ._memory import keep_heap_small
from ._settings import AgentSettings, Loaded
from ._watchdog import Watchdog

logger = logging.getLogger("waterflow.agent")


def run(loaded: Loaded) -> int:
    """Runs an agent until SIGTERM or SIGINT; a second signal ends it at once. Answers the exit code."""
    keep_heap_small()
    _start_logging(loaded.settings)
    if loaded.settings.docker_socket:
        # Docker's own word for it, so that every client that a step may start goes there.
        os.environ["DOCKER_HOST"] = f"unix://{loaded.settings.docker_socket}"
    for text in loaded.ignored:
        logger.warning(text)
    # The SDK's own complaints about an outage come every second; the agent says it once.
    quiet = LoggingConfig(filter="off")
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=quiet), worker_heartbeat_interval=None))
    try:
        with no_exit():
            return _run_for_ever(loaded.settings)
    except KeyboardInterrupt:
        return 130


def _run_for_ever(settings: AgentSettings) -> int:
    """Where a task or a callback of a node raises SystemExit, asyncio stops the event loop: it is taken up again."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        agent = loop.create_task(_run(settings), name="agent")
        while True:
            try:
                return loop.run_until_complete(agent)
            except (SystemExit, KeyboardInterrupt) as error:
                if agent.done():
                    raise
                logger.error("code of a node tried to end the agent: %s: %s", type(error).__name__, error)


async def _run(settings: AgentSettings) -> int:
    agent = Agent(settings)
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(agent.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, agent, running, number)
    watchdog = Watchdog()
    try:
        await running
    except AgentError as error:
        logger.error(error.message)
        return 2 if isinstance(error, SettingsError) else 1
    except asyncio.CancelledError:
        return 1
    finally:
        watchdog.stop()
    return 0


def _stop(agent: Agent, running: asyncio.Future[None], number: signal.Signals) -> None:
    loop = asyncio.get_running_loop()
    logger.info("%s: stopping; the same signal again stops at once", number.name)
    agent.request_stop()
    loop.add_signal_handler(number, running.cancel)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry).decode()


def _start_logging(settings: AgentSettings) -> None:
    if settings.log_output in {"stderr", "stdout"}:
        handler: logging.Handler = logging.StreamHandler(sys.stdout if settings.log_output == "stdout" else sys.stderr)
    else:
        try:
            handler = logging.FileHandler(settings.log_output)
        except OSError as error:
            raise SettingsError(f"the log {settings.log_output} cannot be written: {error.strerror}") from None
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(_Json() if settings.log_format == "json" else text)
    logging.logMultiprocessing = False  # nobody asks for it, and multiprocessing would be loaded for it
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("temporalio").setLevel(logging.ERROR)  # it warns of every claim that is refused
    logger.setLevel(settings.log_level.upper())
