"""Server-sent events (WHATWG HTML, "Server-sent events"), as all live routes send them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from .._errors import ServerError
from ..auth import Access, Caller
from ..runs import RunError

SSE = "text/event-stream"

KEEP_ALIVE = 15.0
"""Seconds without anything to say after which a comment shows that the connection lives."""

RETRY = b"retry: 500\n\n"
"""A client whose connection broke comes back this soon, in milliseconds."""

ALIVE = b": keep-alive\n\n"

_encoder = msgspec.json.Encoder()


def event(kind: str, data: Any, id: str = "") -> bytes:
    """One event; ``id`` is where a reader goes on that has it."""
    head = f"event: {kind}\n" + (f"id: {id}\n" if id else "")
    return head.encode() + b"data: " + _encoder.encode(data) + b"\n\n"


def place(id: str) -> bytes:
    """No event, only where a reader goes on that has come so far."""
    return f"id: {id}\n\n".encode()


async def stream(first: bytes, parts: AsyncIterator[bytes], end: Callable[[], Any]) -> AsyncIterator[bytes]:
    """A whole answer: what is there, then what comes (empty parts are signs of life), then the event ``end`` with what
    ``end`` gives, unless that is None because the server has to let go.
    """
    yield RETRY + first
    clock = asyncio.get_running_loop().time
    sent = clock()
    try:
        async for part in parts:
            if part or clock() - sent >= KEEP_ALIVE:
                yield part or ALIVE
                sent = clock()
    except (ServerError, RunError) as error:
        yield _broken_off(error)
        return
    if (last := end()) is not None:
        yield event("end", last)


async def while_standing(access: Access, caller: Caller, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts of an answer, until the key of its caller is revoked or expires: then nothing more is told."""
    async for part in parts:
        if not access.stands(caller):
            yield b": unauthorized: the API key has expired or was revoked\n\n"
            return
        yield part


def _broken_off(error: ServerError | RunError) -> bytes:
    """The status is long sent, so a comment says what is wrong; the client comes back to where it was."""
    return f": {error.code}: {' '.join(str(error).split())}\n\n".encode()
