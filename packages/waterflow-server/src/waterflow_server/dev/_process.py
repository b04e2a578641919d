"""Child processes: started in their own process group, ended with their owner, their output in a log file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

LAUNCHER = Path(__file__).with_name("_launcher.py")
TAIL_LINES = 15
_TAIL_BYTES = 16 * 1024
_LINE_LENGTH = 400


def launched(command: Sequence[str], death_signal: signal.Signals) -> list[str]:
    """`command` as started through the launcher: it gets `death_signal` when this process dies (Linux)."""
    # -I -S: neither the user's environment nor site-packages may decide what runs before the program.
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal)), *command]


def signal_group(group: int, number: signal.Signals) -> None:
    """Sends a signal to each process of a group; a group that is gone already is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def describe_exit(code: int) -> str:
    """An exit code as words: `exit code 2`, or `killed by SIGKILL` for a negative one (subprocess convention)."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def tail(path: Path, start: int = 0, lines: int = TAIL_LINES) -> list[str]:
    """The last lines of a log file, each cut to 400 characters; `start` (bytes) leaves out what is before it."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start, end - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line[:_LINE_LENGTH] for line in text.splitlines()[-lines:]]


def with_log(message: str, path: Path, lines: Iterable[str]) -> str:
    """`message`, followed by the place of the log and its last lines."""
    last = "".join(f"\n  {line}" for line in lines)
    return f"{message}\nLog: {path}" + (f", last lines:{last}" if last else " (empty)")


def _open_log(path: Path) -> tuple[BinaryIO, int]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = path.open("ab", buffering=0)
    return file, file.tell()


class ChildProcess:
    """One running child.

    It leads its own session and process group, so a Ctrl-C in the terminal reaches only the owner, which then ends
    its children in the right order. `exited` is set as soon as the child has ended, whoever ended it.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path, log_start: int) -> None:
        self.name = name
        self.log = log
        self.exited = asyncio.Event()
        self._process = process
        self._log_start = log_start
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {name}")

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str],
        death_signal: signal.Signals = signal.SIGTERM,
        pass_fds: Sequence[int] = (),
    ) -> ChildProcess:
        """Starts `command` with exactly `environ`; its output goes to the end of `log`.

        `death_signal` is what it gets when this process dies (see the launcher); it inherits `pass_fds`.
        """
        output, log_start = _open_log(log)
        with output:
            process = await asyncio.create_subprocess_exec(
                *launched(command, death_signal),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=environ,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        return cls(name, process, log, log_start)

    async def _watch(self) -> None:
        await self._process.wait()
        # What the child started and left behind in its group would keep its ports and files.
        signal_group(self.pid, signal.SIGKILL)
        self.exited.set()

    @property
    def pid(self) -> int:
        """Process id, and id of the process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative is the number of the signal that ended it."""
        return self._process.returncode if self.exited.is_set() else None

    def log_tail(self) -> list[str]:
        """The last lines that this child wrote (not its predecessor in the same file)."""
        return tail(self.log, self._log_start)

    def describe(self) -> str:
        """`name (process 12): exit code 1`, for messages about a child that has ended."""
        code = self.exit_code
        return f"{self.name} (process {self.pid}): {'running' if code is None else describe_exit(code)}"

    def kill(self) -> None:
        """Ends the child and its group at once (SIGKILL)."""
        if not self.exited.is_set():
            signal_group(self.pid, signal.SIGKILL)

    async def stop(self, grace: float) -> None:
        """Asks the child to end (SIGTERM) and kills its group after `grace` seconds; returns when it has ended."""
        if not self.exited.is_set():
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        try:
            await asyncio.wait_for(self.exited.wait(), grace)
        except TimeoutError:
            self.kill()
        finally:
            # Cancelled while waiting: the child may not outlive the one who cancelled.
            self.kill()
        await asyncio.shield(self._watcher)
