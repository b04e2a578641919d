"""Fix-and-continue: a run that failed or is paused goes on with a changed definition."""

from __future__ import annotations

from typing import Any, Literal

from ._base import Wire


class EditRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/workflows/{id}/edit``: the changed file.

    ``vars``, ``inputs`` and ``secrets`` are put over those that the run was started with. ``dry_run`` only gives the
    report.
    """

    yaml: str
    filename: str = "workflow.yaml"
    files: dict[str, str] = {}
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    dry_run: bool = False


class EditedJob(Wire, frozen=True, kw_only=True):
    """What becomes of a job instance of the old run, or of a job that is new.

    Attributes:
        instance: the job instance; the job's id for a job without instances yet.
        action: ``keep`` = its result is taken over, ``resume`` = it goes on at ``first``, ``again`` = it runs from its
            first step, ``new`` = it has not run yet, ``removed`` = it is not in the new definition.
        why: the reason in words, empty where nothing changed.
        kept: paths of the steps that are not run again.
        first: path of the first step that runs, empty where none of its steps runs.
    """

    job: str
    instance: str
    action: Literal["keep", "resume", "again", "new", "removed"]
    why: str = ""
    kept: list[str] = []
    first: str = ""


class EditReport(Wire, frozen=True, kw_only=True):
    """What an edit keeps and what it runs again. ``changes`` are those outside of any job: variables, inputs, env."""

    run: str
    changes: list[str] = []
    jobs: list[EditedJob] = []


class EditResponse(Wire, frozen=True, kw_only=True):
    """202 with the new run's ``id`` and ``url``; 200 and both None for a dry run."""

    report: EditReport
    id: str | None = None
    url: str | None = None
    warnings: list[dict[str, Any]] = []
