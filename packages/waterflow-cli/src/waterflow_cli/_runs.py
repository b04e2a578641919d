"""Calls on one run, with the nearest id when there is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from typing import TypeVar

from waterflow_sdk.client import AsyncClient, Run, RunNotFound, WaterflowError

from ._errors import CliError
from ._exit_codes import ExitCode

T = TypeVar("T")

_LOOKED_AT = 200


async def on_run(client: AsyncClient, id: str, work: Callable[[Run], Awaitable[T]]) -> T:
    """The result of ``work``; an unknown run is an error that names the nearest one."""
    try:
        return await work(client.run(id))
    except RunNotFound as error:
        hint = await _nearest(client, id) if "did you mean" not in error.message else ""
        raise CliError(error.message, hint or error.remedy, ExitCode.NOT_FOUND) from None


async def _nearest(client: AsyncClient, id: str) -> str:
    try:
        ids = [run.id async for run in client.runs(limit=_LOOKED_AT)]
    except WaterflowError:
        return ""  # this was to help with another error, which is told in any case
    begun = [each for each in ids if each.startswith(id)]
    near = begun[:1] or get_close_matches(id, ids, 1)
    return f"did you mean {near[0]}?" if near else ""
