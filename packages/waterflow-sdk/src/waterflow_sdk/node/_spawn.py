"""Starting one process and receiving its output, straight on the event loop."""

from __future__ import annotations

import asyncio
import codecs
import errno
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from ._errors import InvalidInput, NodeError, NotFoundError, PermissionDenied
from ._starting import ProcessSink, StartedProcess, StartProcess

OnText = Callable[[str], None]

Command = Callable[[Sequence[str], Mapping[str, str], Path], tuple[list[str], Path]]
"""Makes what is executed of arguments, environment and working directory."""


class Output(asyncio.SubprocessProtocol):
    """Decodes output and hands it on. asyncio's own ``Process`` is not used: its ``wait`` also waits for the pipes,
    which background processes may hold open for ever (CPython issue 119710).
    """

    def __init__(self, on_stdout: OnText, on_stderr: OnText) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")
        self._pipes = {1: (decoder("replace"), on_stdout), 2: (decoder("replace"), on_stderr)}
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        """Done when the process has ended, or failed when a handler did."""
        self.drained: asyncio.Future[None] = loop.create_future()
        """Done when both pipes are closed."""
        self.received = 0
        """Bytes of output so far."""
        self.failure: BaseException | None = None
        """What a handler raised."""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """asyncio: output of the process."""
        self.received += len(data)
        decoder, handler = self._pipes[fd]
        self._hand_on(handler, decoder.decode(data))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        """asyncio: the other end of a pipe was closed."""
        if fd not in self._pipes:
            return
        decoder, handler = self._pipes.pop(fd)
        self._hand_on(handler, decoder.decode(b"", final=True))
        if not self._pipes and not self.drained.done():
            self.drained.set_result(None)

    def process_exited(self) -> None:
        """asyncio: the process has ended."""
        if not self.exited.done():
            self.exited.set_result(None)

    def _hand_on(self, handler: OnText, text: str) -> None:
        if not text or self.failure:
            return
        try:
            handler(text)
        except Exception as error:
            self.failure = error
            if not self.exited.done():
                self.exited.set_exception(error)


class _Child:
    """A child of this process."""

    age = 0.0

    def __init__(self, transport: asyncio.SubprocessTransport) -> None:
        self._transport = transport
        self.close = transport.close

    @property
    def group(self) -> int:
        return self._transport.get_pid()

    @property
    def code(self) -> int | None:
        return self._transport.get_returncode()


async def start_child(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdin: bytes | None, sink: ProcessSink
) -> StartedProcess:
    """A :class:`StartProcess`: as a child of this process."""
    transport, _ = await asyncio.get_running_loop().subprocess_exec(
        lambda: cast("Output", sink),
        *argv,
        stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
        env=dict(env),
        cwd=cwd,
        start_new_session=True,
    )
    if stdin is not None:
        pipe = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
        pipe.write(stdin)
        pipe.close()
    return _Child(transport)


async def spawn(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: str | bytes | None,
    output: Output,
    command: Command,
    start: StartProcess,
) -> StartedProcess:
    """Start a process; raises what :meth:`NodeContext.run_process` says."""
    if not argv:
        raise InvalidInput("run_process needs a program to run")
    words, place = command([os.fspath(word) for word in argv], env, cwd)
    given = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        return await start(words, env=env, cwd=place, stdin=given, sink=output)
    except (OSError, ValueError) as error:
        raise explain(error, words[0], place) from error


def explain(error: OSError | ValueError, program: str, cwd: Path) -> NodeError:
    """Why a process did not start, in words."""
    if isinstance(error, ValueError):
        return InvalidInput("a NUL byte is not allowed in the arguments or the environment of a process")
    if not cwd.is_dir():
        return NotFoundError(f"working directory {str(cwd)!r} does not exist", details={"path": str(cwd)})
    if isinstance(error, FileNotFoundError):
        where = "does not exist" if "/" in program else "was not found on PATH"
        return NotFoundError(f"program {program!r} {where}", details={"program": program})
    if isinstance(error, PermissionError):
        return PermissionDenied(f"program {program!r} may not be executed by this user", details={"program": program})
    if error.errno == errno.E2BIG:
        return InvalidInput(f"the arguments and environment of {program!r} are too large; pass data by stdin or a file")
    return NodeError(f"program {program!r} did not start: {error.strerror}", code="spawn-failed")
