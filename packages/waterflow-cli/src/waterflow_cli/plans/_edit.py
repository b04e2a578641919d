"""The compatibility report of an edit."""

from __future__ import annotations

from waterflow_sdk.wire import EditedJob, EditReport

from .._console import clean, make_console
from .._output import Cell, make_table, print_table

_WORDS: dict[str, Cell] = {
    "keep": ("kept", "green"),
    "resume": ("goes on", "yellow"),
    "again": ("runs again", "yellow"),
    "new": ("new", "cyan"),
    "removed": ("removed", "dim"),
}


def show_report(report: EditReport) -> None:
    """Write what is kept and what runs again."""
    console = make_console()
    for change in report.changes:
        console.print(clean(change, colour=False))
    print_table(console, make_table(["JOB", "", "KEPT STEPS", "WHY"], [_row(job) for job in report.jobs]))


def _row(job: EditedJob) -> list[Cell]:
    kept = str(len(job.kept)) if job.action == "resume" else "all" if job.action == "keep" else ""
    first = f"from {job.first}: " if job.first else ""
    return [job.instance, _WORDS[job.action], kept, f"{first}{job.why}"]
