"""Compares what came out of a run with what the oracle says. Each difference is a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from waterflow_sdk.wire import JobState, LogLine, RunState, StepState

from ._model import AGENTS, Fault, Workflow
from ._oracle import Expected, ExpectedInstance, expect
from ._source import line

INTERRUPTIONS = {"agent-restarted": AGENTS, "agent-lost": AGENTS, "fenced": (*AGENTS, "temporal")}
"""Error code of an interrupted attempt → the targets of faults that can be its cause."""


class Verdict:
    """What is wrong with one run; ``problems`` is empty when nothing is."""

    def __init__(self, workflow: Workflow, run: RunState, faults: Sequence[Fault]) -> None:
        self._workflow = workflow
        self._run = run
        self.problems: list[str] = []
        attempts = [attempt for job in run.jobs for step in _all(job.steps) for attempt in step.attempts]
        self.redelivered = sum(attempt.lost for attempt in attempts)
        self.interrupted = {
            (job.instance, step.path, attempt.number): attempt.error.code
            for job in run.jobs
            for step in _all(job.steps)
            for attempt in step.attempts
            if attempt.error is not None and attempt.error.code in INTERRUPTIONS
        }
        self._expected = expect(workflow, lambda *key: self.interrupted.get(key, ""))
        self._check_interruptions(faults)
        self._check_states()

    @property
    def attempts(self) -> dict[str, bool]:
        """Every attempt that there must be, by its key → whether it was interrupted."""
        return {
            f"{self._run.id}/{instance.name}/{step.path}.{number}": attempt.interrupted
            for instance in self._expected.instances
            for step in _leaves((*instance.steps, *instance.endings))
            for number, attempt in enumerate(step.attempts, 1)
        }

    def check_effects(self, lines: Sequence[str]) -> None:
        """Each attempt has its effect once; an interrupted one at most once; no other has any."""
        counts, attempts = Counter(lines), self.attempts
        for text, count in counts.items():
            if text.split()[1] not in attempts:
                self.problems.append(f"effect of an attempt that nobody knows: {text}")
            elif count > 1:
                self.problems.append(f"effect {count} times: {text}")
        for key, interrupted in attempts.items():
            lost = [what for what in ("begin", "end") if not counts[f"{what} {key}"]]
            if lost and not interrupted:
                self.problems.append(f"no effect {' and '.join(lost)} of {key}")
        self._check_order({text: place for place, text in enumerate(lines)})

    def logs_are_complete(self, lines: Sequence[LogLine]) -> bool:
        """Whether there are as many lines as the attempts that were not interrupted have printed."""
        return sum(each.event is None for each in lines) >= sum(
            len(texts) for _key, texts, interrupted in self._expected_logs() if not interrupted
        )

    def check_logs(self, lines: Sequence[LogLine]) -> None:
        """Each line of an attempt is there once and in order; of an interrupted one maybe only the first ones."""
        found: dict[str, list[str]] = {}
        for each in lines:
            if each.event is None:
                found.setdefault(f"{self._run.id}/{each.job}/{each.step}.{each.attempt}", []).append(each.text)
        for key, expected, interrupted in self._expected_logs():
            got = found.pop(key, [])
            if got != (expected[: len(got)] if interrupted else expected):
                self.problems.append(f"log of {key}: {got} instead of {expected}")
        self.problems += [f"log of an attempt that nobody knows: {key}" for key in found]

    def _expected_logs(self) -> Iterator[tuple[str, list[str], bool]]:
        for instance in self._expected.instances:
            for record in _leaves((*instance.steps, *instance.endings)):
                assert record.step is not None
                lines = [line(number, record.step) for number in range(1, record.step.lines + 1)]
                for number, attempt in enumerate(record.attempts, 1):
                    yield f"{self._run.id}/{instance.name}/{record.path}.{number}", lines, attempt.interrupted

    def _check_interruptions(self, faults: Sequence[Fault]) -> None:
        for (instance, path, number), code in self.interrupted.items():
            able = [fault for fault in faults if code != "agent-restarted" or not fault.freeze]
            if not {fault.target for fault in able} & set(INTERRUPTIONS[code]):
                self.problems.append(f"{instance}/{path}.{number} is {code} without a cause")

    def _check_states(self) -> None:
        run, expected = self._run, self._expected
        self._same("run", run.state.value, expected.state)
        self._same("instances", [job.instance for job in run.jobs], [one.name for one in expected.instances])
        for job, instance in zip(run.jobs, expected.instances, strict=False):
            self._same(job.instance, job.state.value, instance.state)
            self._check_steps(job, instance)

    def _check_steps(self, job: JobState, instance: ExpectedInstance) -> None:
        main, endings = job.steps[: len(instance.steps)], job.steps[len(instance.steps) :]
        self._check_list(job.instance, main, instance.steps)
        by_path = sorted(endings, key=lambda step: step.path), sorted(instance.endings, key=lambda step: step.path)
        self._check_list(job.instance, *by_path)

    def _check_list(self, where: str, steps: Sequence[StepState], expected: Sequence[Expected]) -> None:
        self._same(f"{where}: steps", [step.path for step in steps], [one.path for one in expected])
        for step, one in zip(steps, expected, strict=False):
            shown = (step.name, step.state.value, (step.conclusion or step.state).value)
            self._same(f"{where}/{step.path}", shown, (one.name, one.state, one.conclusion))
            attempts = [attempt.state.value for attempt in step.attempts]
            self._same(f"{where}/{step.path}: attempts", attempts, [attempt.state for attempt in one.attempts])
            self._check_list(where, step.steps, one.children)

    def _check_order(self, places: dict[str, int]) -> None:
        """One after the other: attempts of a step, steps of a job that runs once, and jobs that need each other."""
        for instance in self._expected.instances:
            for step in _leaves((*instance.steps, *instance.endings)):
                self._one_by_one([[key] for key in self._keys(instance, [step])], places)
        for job in self._workflow.jobs:
            mine = [instance for instance in self._expected.instances if instance.job == job.id]
            everything = [
                key for instance in mine for key in self._keys(instance, (*instance.steps, *instance.endings))
            ]
            for instance in mine if job.retry == 1 else ():
                self._one_by_one([self._keys(instance, [step]) for step in instance.steps], places)
            for need in self._expected.instances:
                if need.job in job.needs:
                    self._one_by_one([self._keys(need, (*need.steps, *need.endings)), everything], places)

    def _keys(self, instance: ExpectedInstance, records: Iterable[Expected]) -> list[str]:
        return [
            f"{self._run.id}/{instance.name}/{step.path}.{number}"
            for step in _leaves(records)
            for number in range(1, len(step.attempts) + 1)
        ]

    def _one_by_one(self, groups: Sequence[Sequence[str]], places: dict[str, int]) -> None:
        """Whatever the attempts of one group did comes before anything that those of the next one did."""
        last, before = -1, ""
        for keys in groups:
            mine = [(places[text], key) for key in keys for text in (f"begin {key}", f"end {key}") if text in places]
            if mine and min(mine)[0] < last:
                self.problems.append(f"{min(mine)[1]} began before the end of {before}")
            if mine and max(mine)[0] > last:
                last, before = max(mine)

    def _same(self, what: str, got: object, expected: object) -> None:
        if got != expected:
            self.problems.append(f"{what}: {got} instead of {expected}")


def _all(steps: Iterable[StepState]) -> Iterator[StepState]:
    for step in steps:
        yield step
        yield from _all(step.steps)


def _leaves(records: Iterable[Expected]) -> Iterator[Expected]:
    for record in records:
        if record.step is not None:
            yield record
        yield from _leaves(record.children)
