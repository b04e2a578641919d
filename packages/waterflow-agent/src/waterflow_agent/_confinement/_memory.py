"""The memory that the processes of a step may have, and how it is known that they wanted more.

A limit of the address space (``RLIMIT_AS``, setrlimit(2)): for each process by itself. Whoever asks for more gets no
memory and says so in its own words, mostly with an exit code of its own. So the last lines of output are read for such
words.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence

import msgspec

from waterflow_sdk.node import NotFoundError
from waterflow_sdk.wire import ErrorInfo

CODE = "memory-limit"

_WANTED_MORE = re.compile(
    r"cannot allocate|can't allocate|failed to allocate|allocation failed|allocation of \d+ bytes failed|out of memory"
    r"|memory exhausted|not enough (?:memory|space)|insufficient memory|MemoryError|OutOfMemoryError|bad_alloc|ENOMEM",
    re.IGNORECASE,
)
_UNITS = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))


def limit_of(asked: int | None, most: int | None) -> int | None:
    """What counts of the step's own limit and the agent's; None = none."""
    return min((each for each in (asked, most) if each is not None), default=None)


def limited(argv: Sequence[str], memory: int | None) -> list[str]:
    """The command with its memory limited to so many bytes.

    Raises:
        NotFoundError: prlimit(1) is not there.
    """
    if memory is None:
        return list(argv)
    program = shutil.which("prlimit")
    if program is None:
        raise NotFoundError("prlimit, which limits the memory of steps, was not found: install util-linux", code=CODE)
    return [program, f"--as={memory}", "--", *argv]


def explained(error: ErrorInfo, tail: Iterable[str], memory: int, own: int | None) -> ErrorInfo:
    """The error with the limit, if the last lines of output say that memory was refused.

    ``own`` is the limit that the step asked for itself; another one is the agent's.
    """
    if not any(_WANTED_MORE.search(line) for line in tail):
        return error
    whose = "its `resources.memory`" if own == memory else "the agent's `nodes.memory_limit`"
    message = f"{error.message}: a process of it was refused memory; the limit is {shown(memory)} ({whose})"
    details = {**error.details, "memory_limit": memory}
    return msgspec.structs.replace(error, code=CODE, message=message, details=details)


def shown(amount: int) -> str:
    """Bytes in words: ``512 MiB``."""
    for unit, size in _UNITS:
        if amount >= size:
            return f"{amount / size:.4g} {unit}"
    return f"{amount} bytes"
