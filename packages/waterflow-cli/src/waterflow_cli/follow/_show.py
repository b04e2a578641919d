"""``waterflow logs``: the log of a run, without its progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec

from waterflow_sdk.client import Run
from waterflow_sdk.wire import LogLine

from .._console import has_colour, is_terminal
from .._errors import CliError
from ._lines import LineFormatter
from ._progress import Progress


async def show(run: Run, *, follow: bool, filters: Mapping[str, Any], as_json: bool, file: str | None = None) -> None:
    """Write the log to stdout or into a file, as text for people or as one JSON object a line."""
    progress = Progress()
    progress.update(await run.status("summary"))
    with _opened(file) as out:
        formatter = LineFormatter(progress, colour=has_colour(out), terminal=is_terminal(out))
        async with run.logs(follow=follow, **filters) as log:
            while lines := await log.next_batch():
                if not as_json and any(not progress.knows(line.job) for line in lines):
                    progress.update(await run.status("summary"))
                _write(out, _json(lines) if as_json else _told(lines, progress, formatter.format))
    if log.end is not None and log.end.missing:
        sys.stderr.write(f"not complete: {', '.join(log.end.missing)}\n")


def _json(lines: list[LogLine]) -> list[str]:
    return [msgspec.json.encode(line).decode() for line in lines]


def _told(lines: list[LogLine], progress: Progress, format: Callable[[list[LogLine]], list[str]]) -> list[str]:
    progress.hear(lines)
    return format(lines)


def _write(out: TextIO, texts: list[str]) -> None:
    if texts:
        out.write("\n".join(texts) + "\n")
        out.flush()


@contextmanager
def _opened(file: str | None) -> Generator[TextIO]:
    if file is None:
        yield sys.stdout
        return
    try:
        with open(file, "w", encoding="utf-8") as out:
            yield out
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror or error}") from None
