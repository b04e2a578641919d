"""What a plan knows of each job before the run: its condition in the light of the jobs it needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from typing import Any

import msgspec

from waterflow_dsl.expressions import PartHost, Unknown
from waterflow_dsl.plan import JobPlan, Plan
from waterflow_sdk.node import Masker
from waterflow_sdk.wire import PlannedCondition

from ..engine._values import StepFailure
from ..engine._wire import RunInput
from ..engine.run import run_contexts
from ._forecast import Forecast, NotKnown

_SHOWN = 4
"""Jobs that a reason names."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would get. Of secrets there are the values, only to keep them out of what is shown.

    ``open``: nobody has said yet what the run gets, so that variables and inputs may still have any value.
    """

    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    started_by: str = ""
    labels: list[str] = []
    event: dict[str, Any] = {}
    open: bool = False


class Outlook:
    """The jobs of a plan in the order of their needs, each with what is known of its condition."""

    def __init__(self, plan: Plan, given: Given) -> None:
        self._plan = plan
        self._given = given
        self._contexts = _file_contexts(plan, given)
        self.vars: dict[str, Any] = self._contexts["vars"]
        self.secrets = frozenset(plan.secrets)
        self._masker = Masker(given.secrets.values())
        self.conditions: dict[str, PlannedCondition] = {}
        self.starts: dict[str, bool] = {}
        """Whether a job runs unless something fails, whatever is not known yet."""
        self._jobs = {job.id: job for job in plan.jobs}
        self._order = {name: number for number, name in enumerate(self._jobs)}
        for name in TopologicalSorter({job.id: job.needs for job in plan.jobs}).static_order():
            self._judge(self._jobs[name])

    def _judge(self, job: JobPlan) -> None:
        self.conditions[job.id] = judged = self.forecast(job).judge(job.condition)
        hoped = job.condition == "success()" and judged.expected is True
        self.starts[job.id] = judged.decision == "true" or (hoped and all(self.starts[name] for name in job.needs))

    def file(self) -> Forecast:
        """For the fields of the file itself."""
        return Forecast(self._contexts, _HOSTED, masker=self._masker)

    def file_env(self) -> dict[str, Any]:
        """The file's ``env`` for expressions; :class:`Unknown` where a text is not known yet."""
        return known_texts(self._plan.env, self.file())

    def forecast(
        self,
        job: JobPlan,
        contexts: Mapping[str, Any] | None = None,
        functions: PartHost | None = None,
        hopes: PartHost | None = None,
    ) -> Forecast:
        """For the fields of a job, with what an instance or a step of it knows put over it."""
        certain, expected = self._needs(job)
        own = dict(contexts or {})
        return Forecast(
            {**self._contexts, "needs": certain, **own},
            {**_HOSTED, **self._status(job), **(functions or {})},
            expected={**self._contexts, "needs": expected, **own},
            hopes={**_HOPES, "success": lambda: self._goes_well(job), **(hopes or {})},
            masker=self._masker,
        )

    def _needs(self, job: JobPlan) -> tuple[dict[str, Any], dict[str, Any]]:
        """The ``needs`` context: what is certain, and what it is when everything succeeds."""
        certain: dict[str, Any] = {}
        expected: dict[str, Any] = {}
        for name in job.needs:
            if self.conditions[name].decision == "false":
                certain[name] = expected[name] = {"result": "skipped", "outputs": {}, "results": []}
                continue
            outputs = Unknown(f"the outputs of `{name}`")
            open_ = {"outputs": outputs, "results": Unknown(f"the results of `{name}`")}
            certain[name] = {"result": Unknown(f"how `{name}` ends"), **open_}
            result = {True: "success", False: "skipped"}.get(self.conditions[name].expected is not False)
            expected[name] = {"result": result, **open_}
        return certain, expected

    def _status(self, job: JobPlan) -> dict[str, Any]:
        """``success()`` asks the jobs that it needs, ``failure()`` all before them too, as on GitHub."""
        if not job.needs:
            return {"success": lambda: True, "failure": lambda: False}
        skipped = any(self.conditions[name].decision == "false" for name in job.needs)
        ends = Unknown(f"how {_listed(job.needs, 'and')} {'ends' if len(job.needs) == 1 else 'end'}")
        may_fail = self._may_fail(job)
        fails = Unknown(f"whether {_listed(may_fail, 'or')} fails") if may_fail else lambda: False
        return {"success": (lambda: False) if skipped else ends, "failure": fails}

    def _may_fail(self, job: JobPlan) -> list[str]:
        """The nearest jobs before this one that may fail, in file order; one more than a reason names, at most."""
        found: dict[str, None] = {}
        waiting = deque(job.needs)
        seen = set(job.needs)
        while waiting and len(found) <= _SHOWN:
            name = waiting.popleft()
            if self.conditions[name].decision != "false":
                found[name] = None
            new = [need for need in self._jobs[name].needs if need not in seen]
            seen.update(new)
            waiting.extend(new)
        return sorted(found, key=self._order.__getitem__)

    def _goes_well(self, job: JobPlan) -> bool:
        return all(self.conditions[name].expected is not False for name in job.needs)


_HOSTED: dict[str, Any] = {
    "always": lambda: True,
    "cancelled": Unknown("whether the run is cancelled"),
    "now": Unknown("the time"),
    "hashFiles": Unknown("files on the host"),
    "success": lambda: True,
    "failure": lambda: False,
}
_HOPES: dict[str, Any] = {"failure": lambda: False, "cancelled": lambda: False}


def _file_contexts(plan: Plan, given: Given) -> dict[str, Any]:
    run = RunInput(
        id="",
        plan=msgspec.Raw(b""),
        submitted=datetime.now(UTC),
        vars=given.vars,
        inputs=given.inputs,
        labels=given.labels,
        started_by=given.started_by,
        event=given.event,
    )
    contexts = run_contexts(run, plan)
    variables, inputs = _values(plan, given, contexts)
    later = Unknown("the run itself")
    return {
        **contexts,
        "vars": variables,
        "inputs": inputs,
        "secrets": Unknown("a secret"),
        "run": {**contexts["run"], "id": later, "submitted": later, "title": later},
        "github": {**contexts["github"], "run_id": later, "event": {**given.event, "inputs": inputs}},
        **dict.fromkeys(("matrix", "strategy", "item", "index")),
    }


def _values(plan: Plan, given: Given, contexts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Variables and inputs; :class:`Unknown` in place of those that are missing, or that nobody has given yet."""
    variables: dict[str, Any] = contexts["vars"]
    inputs: dict[str, Any] = contexts["inputs"]
    if given.open:
        open_vars = {name: Unknown(f"the variable `{name}`") for name in variables}
        return open_vars, {name: Unknown(f"the input `{name}`") for name in inputs}
    missing = {
        name: Unknown(f"the input `{name}`, which is not given")
        for name, declared in plan.inputs.items()
        if declared.required and declared.default is None and given.inputs.get(name) is None
    }
    return variables, {**inputs, **missing}


def known_texts(env: Mapping[str, Any], forecast: Forecast) -> dict[str, Any]:
    """Environment for expressions: texts that are known, and what the others depend on."""
    found: dict[str, Any] = {}
    for name, template in env.items():
        try:
            found[name] = forecast.text(template, f"env.{name}")
        except NotKnown as unknown:
            found[name] = Unknown(str(unknown))
        except StepFailure as failure:
            found[name] = Unknown(failure.error.message)
    return found


def _listed(names: Sequence[str], word: str) -> str:
    quoted = [f"`{name}`" for name in names]
    if len(names) > _SHOWN:
        quoted = [*quoted[:_SHOWN], "others"]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"
