"""Gives back what only the start needed: an agent is idle most of its life, on hosts that have other work to do.

Importing the Temporal SDK leaves freed heap and touched pages of its library behind. Both are handed to the kernel;
what is used after all comes back by itself, from the page cache, without reading the disk.
"""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger("waterflow.agent")

_DONTNEED = 4  # madvise(2), Linux
_ARENA_MAX, _TRIM_THRESHOLD, _MMAP_THRESHOLD = -8, -1, -3  # mallopt(3), glibc
_LARGE = 128 * 1024  # bytes; what glibc begins with
_SMAPS = Path("/proc/self/smaps")
_RESTS_BELOW = 0.02  # of a processor; an idle agent takes some thousandths


def keep_heap_small() -> None:
    """Lets all threads allocate from one heap, and large blocks beside it (glibc). Call it before there are threads.

    The heap's end and large blocks go back to the kernel when they are freed. By default, glibc raises the limits from
    which that is so to twice the largest block there ever was (mallopt(3)), and an agent's heap grows for minutes.
    """
    if sys.platform.startswith("linux"):
        import ctypes  # imported here: other systems do not need it

        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_ARENA_MAX, 1)
            libc.mallopt(_TRIM_THRESHOLD, _LARGE)
            libc.mallopt(_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Trims the heap and drops unmodified pages of libraries. Does nothing where the system is not Linux with glibc."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # imported here: other systems do not need it

    libc = ctypes.CDLL(None, use_errno=True)
    gc.collect()
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    try:
        for start, end in _unmodified_library_pages(_SMAPS.read_text()):
            libc.madvise(start, end - start, _DONTNEED)
    except OSError as error:
        logger.debug("library pages are kept: %s", error)


class Rest:
    """Gives back again whenever work is over: the process has rested since it was asked last, after it had worked."""

    def __init__(self) -> None:
        self._asked = time.monotonic()
        self._used = time.process_time()
        self._worked = False

    def give_back(self) -> bool:
        """Answers whether there was a reason to. Ask it once a minute or so."""
        now, used = time.monotonic(), time.process_time()
        rested = used - self._used < _RESTS_BELOW * (now - self._asked)
        self._asked, self._used = now, used
        over, self._worked = rested and self._worked, not rested
        if over:
            give_back()
        return over


def _unmodified_library_pages(smaps: str) -> Iterator[tuple[int, int]]:
    """Read-only mappings of libraries without a modified page (relocated ones have some, and would lose them)."""
    candidate: tuple[int, int] | None = None
    for line in smaps.splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            start, _, end = words[0].partition("-")
            library = len(words) == 6 and words[5].startswith("/") and words[1] in {"r-xp", "r--p"}
            candidate = (int(start, 16), int(end, 16)) if library else None
        elif words[0] == "Anonymous:" and words[1] == "0" and candidate:
            yield candidate
