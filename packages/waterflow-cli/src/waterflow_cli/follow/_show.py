"""``waterflow logs``: the log of a run, without its progress."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from waterflow_sdk.client import Run

from .._console import has_colour, is_terminal
from ._lines import LineFormatter
from ._progress import Progress


async def show(run: Run, *, follow: bool, filters: Mapping[str, Any], as_json: bool) -> None:
    """Write the log to stdout, as text for people or as one JSON object a line."""
    progress = Progress()
    progress.update(await run.status("summary"))
    formatter = LineFormatter(progress, colour=has_colour(sys.stdout), terminal=is_terminal(sys.stdout))
    async with run.logs(follow=follow, **filters) as log:
        while lines := await log.next_batch():
            if as_json:
                texts = [msgspec.json.encode(line).decode() for line in lines]
            else:
                if any(not progress.knows(line.job) for line in lines):
                    progress.update(await run.status("summary"))
                progress.hear(lines)
                texts = formatter.format(lines)
            if texts:
                sys.stdout.write("\n".join(texts) + "\n")
                sys.stdout.flush()
    if log.end is not None and log.end.missing:
        sys.stderr.write(f"not complete: {', '.join(log.end.missing)}\n")
