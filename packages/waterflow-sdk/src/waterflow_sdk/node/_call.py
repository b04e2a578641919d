"""Calling a node's ``execute``: as a coroutine, or in a thread of its own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import Any

from ._context import ProcessResult
from ._errors import NodeCancelled
from ._node import Node
from ._step import StepContext

_LAST_WORDS = 1.0  # seconds for the `finally` blocks of a thread that was interrupted


async def call_node(node: type[Node], ctx: StepContext, inputs: Any) -> Any:
    """Run one attempt. Cancellation sets ``ctx.cancelled`` before the node learns of it."""
    execute = node().execute
    if inspect.iscoroutinefunction(execute):
        work = asyncio.ensure_future(_held(execute(ctx, inputs)))
        try:
            value, error = await asyncio.shield(work)
        except asyncio.CancelledError:
            if not was_cancelled():
                raise
            ctx.mark_cancelled()
            work.cancel()
            value, error = await work
    else:
        blocking = BlockingContext(ctx, asyncio.get_running_loop())
        value, error = await _in_thread(lambda: execute(blocking, inputs), blocking)
    if error is not None:
        raise error
    return value


_Ending = tuple[Any, BaseException | None]
"""A result or an error. It is handed on like this, because some errors end the event loop if a task raises them."""


async def _held(work: Awaitable[Any]) -> _Ending:
    try:
        return await work, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error


def was_cancelled() -> bool:
    """Whether somebody cancelled the current task; a node may raise CancelledError by itself as well."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class BlockingContext:
    """Implements :class:`SyncNodeContext` on a :class:`StepContext`: everything but ``run_process`` is the same."""

    def __init__(self, ctx: StepContext, loop: asyncio.AbstractEventLoop) -> None:
        self._ctx = ctx
        self._loop = loop
        self._running: set[Future[ProcessResult]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    def run_process(self, *args: Any, **options: Any) -> ProcessResult:
        """As :meth:`SyncNodeContext.run_process`."""
        future = asyncio.run_coroutine_threadsafe(self._ctx.run_process(*args, **options), self._loop)
        self._running.add(future)
        try:
            return future.result()
        except FutureCancelled:
            raise NodeCancelled("the step was cancelled while a process ran") from None
        finally:
            self._running.discard(future)

    def cancel(self) -> None:
        """Let the node learn that the step is cancelled, and end the processes it waits for."""
        self._ctx.mark_cancelled()
        for future in tuple(self._running):
            future.cancel()

    @property
    def grace(self) -> float:
        """Seconds that the thread has to end after :meth:`cancel`."""
        return self._ctx.kill_grace


async def _in_thread(work: Callable[[], Any], ctx: BlockingContext) -> _Ending:
    """A daemon thread for each step: in a pool slow steps would starve the others, and a stuck one block the exit."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Ending] = loop.create_future()
    context = copy_context()

    def deliver(value: Any, error: BaseException | None) -> None:
        if not done.done():
            done.set_result((value, error))

    def run() -> None:
        value, error = None, None
        try:
            value = context.run(work)
        except BaseException as raised:  # handed to the caller, SystemExit included: it must not end the host
            error = raised
        with suppress(RuntimeError):  # the host's loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, value, error)

    thread = Thread(target=run, name="waterflow-node", daemon=True)
    thread.start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        ctx.cancel()
        await asyncio.wait((done,), timeout=ctx.grace)
        if not done.done():
            _interrupt(thread)
            await asyncio.wait((done,), timeout=_LAST_WORDS)
        if not done.done():
            ctx.log.error("the node's thread cannot be ended; it is left behind until its call returns")
        raise  # what it raised after the cancellation no longer matters


def _interrupt(thread: Thread) -> None:
    """Raises SystemExit between two instructions of a thread, as CPython's C API describes PyThreadState_SetAsyncExc.

    That ends an endless loop. A call that does not return to Python keeps its thread, at most until the host ends.
    """
    if thread.ident is not None:
        import ctypes  # hardly ever needed

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
