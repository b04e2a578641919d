"""What spans several keys: version, jobs without work, schedules, pauses."""

from __future__ import annotations

import re

from waterflow_dsl import model
from waterflow_dsl._analysis._cron import cron_problem
from waterflow_dsl._analysis._matrix import check_matrices
from waterflow_dsl._analysis._zones import TIME_ZONES
from waterflow_dsl._codes import Code
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Report, did_you_mean
from waterflow_dsl._duration import parse_duration
from waterflow_dsl._source import Mapping

_MAJOR, _MINOR = 1, 0
_VERSION = re.compile(r"(\d{1,4})(?:\.(\d{1,4}))?", re.ASCII)


def check_structure(workflow: model.Workflow, report: Report, dialect: Dialect) -> None:
    """Report what no single key shows."""
    _check_version(workflow, report)
    jobs = workflow.node.get("jobs")
    if isinstance(jobs, Mapping) and not jobs.entries:
        report.add(Code.NO_JOBS, workflow.key("jobs"), "the workflow has no jobs", path="jobs", hint="add a job")
    if dialect == "github" and "on" not in workflow.node.entries:
        report.add(Code.MISSING_KEY, workflow.key("name"), "`on` is missing in a workflow file", hint="add `on: push`")
    check_matrices(workflow, report, dialect)
    for schedule in workflow.on.schedule if workflow.on else ():
        _check_schedule(schedule, report, github=dialect == "github")


def check_job(job_id: str, job: model.Job, report: Report, dialect: Dialect) -> None:
    """Report what no single key of a job shows."""
    keys = {key.replace("_", "-") for key in job.node.entries}
    if not keys & {"steps", "uses"}:
        message = f"the job `{job_id}` has neither `steps` nor `uses`"
        report.add(Code.NO_JOBS, job.key("name", "runs-on"), message, path=job.path, hint="add `steps:`")
    elif dialect == "github" and "uses" not in keys and "runs-on" not in keys:
        report.add(Code.MISSING_KEY, job.key("steps"), f"the job `{job_id}` has no `runs-on`", path=job.path)
    _check_pause(job, report)
    if job.strategy_keys and job.strategy_keys.matrix is not None and job.for_each is not None:
        message = "`strategy.matrix` and `for-each` exclude each other"
        report.add(Code.CONFLICTING_KEYS, job.key("for-each"), message, path=job.path, hint="add a name to the matrix")


def _check_version(workflow: model.Workflow, report: Report) -> None:
    if workflow.version is None:
        return
    found = _VERSION.fullmatch(workflow.version)
    place = workflow.node_of("version")
    if found is None or int(found[1]) != _MAJOR:
        message = f"version `{workflow.version[:20]}` of the language is unknown; this release reads {_MAJOR}.{_MINOR}"
        report.add(Code.LANGUAGE_VERSION, place, message, path="version", hint='write `version: "1.0"` or remove it')
    elif int(found[2] or 0) > _MINOR:
        message = f"version {workflow.version} is newer than {_MAJOR}.{_MINOR}; what it added is unknown here"
        report.add(Code.NEWER_MINOR, place, message, path="version", hint="update waterflow-dsl")


def _check_schedule(schedule: model.Schedule, report: Report, *, github: bool) -> None:
    problem = cron_problem(schedule.cron, github=github) if schedule.cron is not None else None
    if problem:
        hint = "for example `0 2 * * 1-5`"
        report.add(Code.CRON, schedule.node_of("cron"), problem, path=f"{schedule.path}.cron", hint=hint)
    if schedule.timezone not in TIME_ZONES:
        hint = (
            did_you_mean(report.nearest(schedule.timezone, sorted(TIME_ZONES)))
            or "for example `Asia/Shanghai` or `UTC`"
        )
        message = f"unknown time zone `{schedule.timezone[:40]}`"
        report.add(Code.TIME_ZONE, schedule.node_of("timezone"), message, path=f"{schedule.path}.timezone", hint=hint)


def _check_pause(job: model.Job, report: Report) -> None:
    pause = job.rollout.pause_between if job.rollout else None
    if pause is None or pause == "approval" or job.rollout is None:
        return
    try:
        parse_duration(pause)
    except ValueError as error:
        place = job.rollout.node_of("pause-between")
        message = f"{error}; `pause-between` takes a duration or `approval`"
        report.add(
            Code.NOT_A_DURATION, place, message, path=f"{job.path}.rollout.pause-between", hint="for example `30s`"
        )
