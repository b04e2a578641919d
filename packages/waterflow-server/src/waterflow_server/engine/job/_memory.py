"""A job on its way from one run of its workflow to the next."""

from __future__ import annotations

import msgspec

from .._wire import JobInput, JobMemory, ResumePoint, StopMemory
from ..memory._carried import attempts_elsewhere, recall, remember_lists
from ..memory._course import Course
from ..signals._stop import Stop
from ..steps._context import JobContext
from ._environment import Environment


def next_input(job: JobContext, course: Course, environment: Environment, memory: JobMemory) -> JobInput:
    """The input of the next run; ``memory`` has what only the workflow itself knows."""
    given = job.given
    memory = msgspec.structs.replace(
        memory,
        queued=course.queued,
        started=course.started,
        patience=course.patience,
        timeout=course.timeout,
        pauses=job.gate.pauses,
        environment=environment.state,
        approval=environment.approval,
        agent=job.agent,
        env=job.env,
        vars=job.vars,
        paths=job.paths,
        masks=job.masks,
        lists=remember_lists(course.lists),
        completions=job.completions,
        told=job.notes.told,
        halted=job.halted,
        answers=job.inbox.answers,
        stop=_stop_memory(job.stop, course),
        retry=course.retry,
        turns=course.turns,
        due=course.due,
        conclusion=course.conclusion,
    )
    memory = msgspec.structs.replace(memory, attempts=attempts_elsewhere(job.attempts, memory))
    resume = None if given.resume is None else ResumePoint(contexts=given.resume.contexts)
    return msgspec.structs.replace(given, memory=memory, resume=resume, paused=job.gate.reason, events=job.inbox.events)


def _stop_memory(stop: Stop, course: Course) -> StopMemory:
    if course.conclusion is None:
        return StopMemory(state=stop.state, reason=stop.reason, force=stop.force)
    return StopMemory(state=stop.outer, within=stop.state, reason=stop.reason, force=stop.force)


def recall_course(memory: JobMemory, job: JobContext) -> Course:
    """How far the job was."""
    return Course(
        queued=memory.queued,
        started=memory.started,
        patience=memory.patience,
        timeout=memory.timeout,
        lists=[[recall(step, job.attempts_of) for step in steps] for steps in memory.lists],
        retry=memory.retry,
        turns=memory.turns,
        due=memory.due,
        conclusion=memory.conclusion,
    )


def recall_stop(memory: JobMemory, stop: Stop) -> None:
    """Why it was to end, if it was."""
    stop.state, stop.reason, stop.force = memory.stop.state, memory.stop.reason, memory.stop.force
