"""Short commands that must end: time-bounded, their output read line by line, nothing of them left behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence

import msgspec

from ._process import launched, signal_group

_LINE_LIMIT = 1024 * 1024


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a command: exit code (negative: signal) and its output, stdout and stderr together."""

    exit_code: int
    lines: list[str]

    @property
    def output(self) -> str:
        """The whole output as one text, without white space around it."""
        return "\n".join(self.lines).strip()


def _ignore(line: str) -> None:
    del line


async def run(
    command: Sequence[str],
    *,
    within: float,
    environ: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = _ignore,
) -> Completed:
    """Runs `command` to its end and calls `on_line` for each line of output.

    Raises TimeoutError after `within` seconds; then, and when cancelled, the command's whole process group is killed.
    """
    process = await asyncio.create_subprocess_exec(
        *launched(command, signal.SIGKILL),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environ,
        start_new_session=True,
        limit=_LINE_LIMIT,
    )
    try:
        async with asyncio.timeout(within):
            lines = await _read_lines(process, on_line)
            return Completed(exit_code=await process.wait(), lines=lines)
    finally:
        signal_group(process.pid, signal.SIGKILL)
        await process.wait()


async def _read_lines(process: asyncio.subprocess.Process, on_line: Callable[[str], None]) -> list[str]:
    assert process.stdout is not None  # asked for above
    lines: list[str] = []
    async for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        lines.append(line)
        on_line(line)
    return lines
