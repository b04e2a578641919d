"""Why job instances failed, with what helps to understand it: where, with which inputs, the last lines of output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from waterflow_sdk.wire import JobState, RunState

from .._format import error_text

_MOST = 5
_LINES = 10


def failures(run: RunState, *, tail: bool) -> Iterator[str]:
    """Lines about the first failed instances; with ``tail`` also what their steps wrote last."""
    failed = [job for job in run.jobs if job.error is not None and job.error.details]
    for job in failed[:_MOST]:
        yield from _failure(job, tail=tail)
    if len(failed) > _MOST:
        yield f"and {len(failed) - _MOST} more failed instances"


def _failure(job: JobState, *, tail: bool) -> Iterator[str]:
    assert job.error is not None
    details = job.error.details
    yield f"{job.instance}: {error_text(job.error)}"
    facts = [f"{word} {details[name]}" for name, word in _FACTS if details.get(name) not in (None, "")]
    if facts:
        yield f"  {', '.join(facts)}"
    inputs = details.get("inputs")
    if isinstance(inputs, dict):
        for name, value in cast("dict[str, Any]", inputs).items():
            yield from _indented(f"  with {name}: ", value if isinstance(value, str) else _json(value))
    lines = details.get("tail")
    if tail and isinstance(lines, list) and lines:
        yield "  last lines of its output:"
        yield from (f"    {line}" for line in cast("list[Any]", lines)[-_LINES:])


_FACTS = (("step", "step"), ("host", "on"), ("node", "node"), ("exit_code", "exit code"))


def _indented(head: str, text: str) -> Iterator[str]:
    first, *more = text.rstrip("\n").split("\n")
    yield f"{head}{first}"
    yield from (f"    {line}" for line in more)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
