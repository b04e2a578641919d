"""`waterflow dev`: the embedded stack in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ._errors import DevError
from ._settings import TemporalSettings, absolute, default_data_dir
from ._stack import DevStack, StackSettings

_MAX_AGENTS = 100
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Output:
    """Says what happens on stdout, as lines for people (`text`) or one JSON object a line (`json`).

    A reader who has gone away counts as a wish to stop: `closed` is then set.
    """

    def __init__(self, kind: str) -> None:
        self._json = kind == "json"
        self.closed = asyncio.Event()

    def progress(self, message: str) -> None:
        """One step forward, or a part that has to be started again."""
        self._write(message, {"event": "progress", "message": message})

    def ready(self, stack: DevStack) -> None:
        """The addresses."""
        ui = stack.temporal.ui_url
        facts = {"server": stack.server_url, "temporal": stack.temporal.address, "ui": ui}
        text = (
            f"\nWaterflow is ready.\n  Server    {stack.server_url}\n  Temporal  {stack.temporal.address}\n"
            f"  UI        {ui or 'off'}\n  Data      {stack.data_dir}\n"
            f"Try: waterflow run FILE --server {stack.server_url}\nCtrl-C stops."
        )
        self._write(text, {"event": "ready", **facts, "data_dir": str(stack.data_dir), "pids": stack.pids})

    def error(self, error: DevError) -> None:
        """What went wrong; as text on stderr."""
        if self._json:
            self._write("", {"event": "error", "code": error.code, "message": error.message})
        else:
            sys.stderr.write(f"waterflow dev: {error.message}\n")

    def _write(self, text: str, event: dict[str, Any]) -> None:
        line = msgspec.json.encode(event).decode() if self._json else text
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self.closed.set()


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 1 to 65535")
    return int(text)


def _agents(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:6]) > _MAX_AGENTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of agents: give one from 0 to {_MAX_AGENTS}")
    return int(text)


def _group(text: str) -> str:
    if not _GROUP.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a group name: give letters, digits, '.', '_' and '-'")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="waterflow dev",
        description="Runs Temporal, the Waterflow server and some local agents on this machine until Ctrl-C.",
        allow_abbrev=False,
    )
    parser.add_argument("--agents", type=_agents, default=3, metavar="N", help="number of agents (default 3)")
    parser.add_argument(
        "--group", type=_group, action="append", metavar="NAME", help="their group (default local); may be repeated"
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--data-dir", type=Path, metavar="DIR", help="where data and logs are kept between starts")
    data.add_argument("--ephemeral", action="store_true", help="keep nothing: use a temporary directory")
    parser.add_argument("--port", type=_port, metavar="P", help="port of the server (default: a free one)")
    parser.add_argument("--temporal-port", type=_port, metavar="P", help="port of Temporal (default: a free one)")
    ui = parser.add_mutually_exclusive_group()
    ui.add_argument("--ui-port", type=_port, metavar="P", help="port of Temporal's UI (default: a free one)")
    ui.add_argument("--no-ui", action="store_true", help="start Temporal without its UI")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: one object a line")
    parser.add_argument("--stop-on-eof", action="store_true", help="stop too when stdin ends, for an owning process")
    return parser


def stack_settings(options: argparse.Namespace, base: StackSettings) -> StackSettings:
    """`base` with the parsed options and the environment laid over it. Raises SettingInvalid."""
    temporal = TemporalSettings.from_environ(port=options.temporal_port, ui_port=options.ui_port, ui=not options.no_ui)
    return msgspec.structs.replace(
        base,
        data_dir=absolute(options.data_dir) if options.data_dir else default_data_dir(),
        ephemeral=options.ephemeral,
        agents=options.agents,
        groups=tuple(options.group or base.groups),
        port=options.port,
        temporal=temporal,
    )


def main(argv: Sequence[str], base: StackSettings | None = None) -> int:
    """Runs `waterflow dev`. 0: stopped as asked; 1: an error, which was said; 2: wrong options.

    `base` is for those who embed it: what the options do not say, such as other commands for server and agents.

    temporalio can abort an interpreter that shuts down, so the entry of the process flushes and leaves by `os._exit`.
    """
    try:
        options = _parser().parse_args(argv)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    return asyncio.run(_run(options, base or StackSettings()))


async def _run(options: argparse.Namespace, base: StackSettings) -> int:
    output = Output(options.format)
    stopping = asyncio.create_task(_asked_to_stop(output, stop_on_eof=options.stop_on_eof))
    running = asyncio.create_task(_run_stack(options, base, output))
    await asyncio.wait((stopping, running), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    running.cancel()
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    except DevError as error:
        output.error(error)
        return 1
    return 0


async def _run_stack(options: argparse.Namespace, base: StackSettings, output: Output) -> None:
    async with DevStack(stack_settings(options, base), output.progress) as stack:
        output.ready(stack)
        await stack.failed()


async def _asked_to_stop(output: Output, *, stop_on_eof: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, output.closed.set)
    if stop_on_eof:
        # A thread, because stdin may be anything: a pipe, a terminal, a file, which asyncio cannot watch alike.
        threading.Thread(target=_at_eof, args=(loop, output.closed), daemon=True).start()
    await output.closed.wait()


def _at_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    with contextlib.suppress(OSError):  # no stdin at all has ended too
        while os.read(0, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop has ended already
        loop.call_soon_threadsafe(stop.set)
