"""How processes are started, as far as hosts may decide it: they may keep processes in another way than as children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


class ProcessSink(Protocol):
    """Takes what a process does; the methods are those of :class:`asyncio.SubprocessProtocol`."""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Output on descriptor 1 or 2."""
        ...

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Nothing more comes on this descriptor."""
        ...

    def process_exited(self) -> None:
        """The process has ended; others may still hold its pipes."""
        ...


class StartedProcess(Protocol):
    """A process that was started."""

    @property
    def group(self) -> int | None:
        """Its process group, which it leads. None: nothing of the group can be left."""
        ...

    @property
    def age(self) -> float:
        """Seconds that it had run when it was handed over: 0 for one that was just started."""
        ...

    @property
    def code(self) -> int | None:
        """How it ended: an exit code, or the negative number of the signal; None while it runs."""
        ...

    def close(self) -> None:
        """Reads no more of its output."""
        ...


class StartProcess(Protocol):
    """Starts a process as the leader of a new session (so of a new process group), and begins to read its output.

    Raises OSError or ValueError as :class:`subprocess.Popen` does.
    """

    async def __call__(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdin: bytes | None, sink: ProcessSink
    ) -> StartedProcess:
        """``env`` is the whole environment; ``stdin`` None = ``/dev/null``."""
        ...
