"""The embedded stack of ``run --local``: a process of its own (``waterflow dev``) that ends with this one.

It runs in its own session, so that Ctrl-C reaches only us, and stops when its standard input ends: that happens even
when this process is killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import click
import msgspec

from . import _plugins
from ._console import clean, is_terminal
from ._errors import CliError
from ._exit_codes import ExitCode

STOP_GRACE = 30.0
KILL_GRACE = 10.0
_LONGEST_LINE = 1024 * 1024


class LocalOptions(msgspec.Struct, frozen=True):
    """What the user asked for: number of agents, groups beside those of the file, where to keep data."""

    agents: int = 1
    groups: tuple[str, ...] = ()
    data_dir: str | None = None


class Event(msgspec.Struct, frozen=True):
    """A line of ``waterflow dev --format json``."""

    event: Literal["progress", "ready", "error"] | str
    message: str = ""
    server: str = ""
    code: str = ""


class LocalStack:
    """Temporal, server and agents for one run."""

    def __init__(self, options: LocalOptions, groups: Sequence[str]) -> None:
        self.server = ""
        """The address, once it has started."""
        self._options = options
        self._groups = list(dict.fromkeys([*groups, *options.groups]))
        self._process: asyncio.subprocess.Process | None = None
        self._why = ""
        self._stderr: deque[str] = deque(maxlen=20)
        self._readers: list[asyncio.Task[None]] = []

    async def start(self) -> str:
        """Start, showing how far it is; give the server's address. Raises :class:`CliError`."""
        if not _plugins.installed("dev"):
            raise _plugins.missing("dev")
        process = self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers.append(asyncio.create_task(self._keep_stderr(process.stderr)))
        self.server = await self._until_ready(process.stdout)
        self._readers.append(asyncio.create_task(self._watch(process.stdout)))
        return self.server

    def _command(self) -> list[str]:
        options = self._options
        data = ["--data-dir", options.data_dir] if options.data_dir else ["--ephemeral"]
        groups = [word for group in self._groups for word in ("--group", group)]
        command = [sys.executable, "-m", "waterflow_cli", "dev", *data, "--agents", str(options.agents), *groups]
        return [*command, "--format", "json", "--stop-on-eof"]

    async def _until_ready(self, stdout: asyncio.StreamReader) -> str:
        shown = _Progress()
        try:
            while line := await stdout.readline():
                event = _parse(line)
                if event.event == "ready":
                    return event.server
                if event.event == "error":
                    raise CliError(f"the embedded stack did not start: {event.message}", code=ExitCode.UNAVAILABLE)
                shown.say(event.message)
        finally:
            shown.end()
        await asyncio.wait(self._readers)
        why = "\n".join(self._stderr).strip() or "it ended without a word"
        raise CliError(f"the embedded stack did not start: {why}", code=ExitCode.UNAVAILABLE)

    async def _watch(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            event = _parse(line)
            self._why = event.message if event.event == "error" else self._why

    async def lost(self) -> CliError:
        """Wait until it ends, which it must not do by itself; the error says why it did."""
        await asyncio.wait(self._readers)
        why = self._why or "\n".join(self._stderr).strip() or "it ended without a word"
        return CliError(f"the embedded stack ended while the run went on: {why}", code=ExitCode.UNAVAILABLE)

    async def _keep_stderr(self, stderr: asyncio.StreamReader) -> None:
        while line := await stderr.readline():
            self._stderr.append(clean(line.decode(errors="replace").rstrip(), colour=False))

    async def stop(self) -> None:
        """Stop it and wait until it has ended: asked first, then told, then killed."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        for grace, insist in ((STOP_GRACE, process.terminate), (KILL_GRACE, process.kill)):
            try:
                async with asyncio.timeout(grace):
                    await process.wait()
                break
            except TimeoutError:
                with suppress(ProcessLookupError):
                    insist()
        await process.wait()
        for reader in self._readers:
            reader.cancel()


def _parse(line: bytes) -> Event:
    try:
        return msgspec.json.decode(line, type=Event)
    except msgspec.MsgspecError:
        return Event("progress", clean(line.decode(errors="replace").strip(), colour=False))


class _Progress:
    """What the start is doing: one line that changes on a terminal, else a line each."""

    def __init__(self) -> None:
        self._terminal = is_terminal(sys.stderr)
        self._shown = False

    def say(self, message: str) -> None:
        if self._terminal:
            click.echo(f"\r\x1b[2K{message}", err=True, nl=False)
            self._shown = True
        else:
            click.echo(message, err=True)

    def end(self) -> None:
        if self._shown:
            click.echo("\r\x1b[2K", err=True, nl=False)
