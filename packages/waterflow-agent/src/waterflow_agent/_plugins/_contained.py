"""Running code of strangers so that it harms nothing: it may raise, exit, print, or never come back."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

logger = logging.getLogger("waterflow.agent")

T = TypeVar("T")

LIMIT = 10.0
"""Seconds that loading may take."""

_PRINTED = 2000
_TRACE = 4000


class Outcome(msgspec.Struct, Generic[T], frozen=True):
    """What came of it: a value, or a reason in one line with the traceback."""

    value: T | None = None
    reason: str = ""
    traceback: str = ""


async def contained(work: Callable[[], T], what: str, limit: float = LIMIT) -> Outcome[T]:
    """Runs it in a thread of its own for at most ``limit`` seconds. What it prints is logged.

    Code that runs on then is told to exit between two of its instructions; a call that never returns to Python keeps
    the thread, which ends with the agent.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Outcome[T]] = loop.create_future()

    def run() -> None:
        outcome = _run(work)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_answer, done, outcome)

    printed = io.StringIO()
    thread = threading.Thread(target=run, name=f"loading {what}", daemon=True)
    with contextlib.redirect_stdout(printed):
        thread.start()
        await asyncio.wait((done,), timeout=limit)
    if text := printed.getvalue().strip():
        logger.warning("%s printed while it was loaded: %s", what, text[:_PRINTED])
    if done.done():
        return done.result()
    _interrupt(thread)
    return Outcome(reason=f"it was not loaded within {limit:g} s and was stopped")


def _run(work: Callable[[], T]) -> Outcome[T]:
    try:
        return Outcome(work())
    # Whatever a plug-in raises, SystemExit and KeyboardInterrupt too, is its own affair.
    except BaseException as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(reason=reason, traceback=traceback.format_exc()[-_TRACE:])


def _answer(done: asyncio.Future[Any], outcome: Outcome[Any]) -> None:
    if not done.done():
        done.set_result(outcome)


def _interrupt(thread: threading.Thread) -> None:
    """As CPython's C API describes PyThreadState_SetAsyncExc: raises SystemExit in another thread."""
    if thread.ident is not None:
        import ctypes  # imported here: it is hardly ever needed

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
