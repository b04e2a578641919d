"""The dry run's walk: the steps of a job instance in order, with their inputs as far as they are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from waterflow_dsl.expressions import Unknown
from waterflow_dsl.inputs import input_problems
from waterflow_dsl.plan import (
    BranchPlan,
    ForEachPlan,
    JobPlan,
    LoopPlan,
    NodePlan,
    ParallelPlan,
    StepPlan,
    UsesKind,
    WhilePlan,
)
from waterflow_sdk.wire import PlannedCondition, PlannedInstance, PlannedStep

from ..catalog import Snapshot
from ..engine._json import is_list
from ..engine._values import StepFailure
from ._forecast import Forecast, NotKnown
from ._outlook import Outlook, known_texts
from ._paths import all_steps

MAX_STEPS = 2_000
"""Steps of all instances together that a dry run lists."""

_EARLIER = Unknown("whether an earlier step fails")
_FIRST: dict[str, Any] = {"success": lambda: True, "failure": lambda: False}


class Walk:
    """Walks through job instances; ``left`` is how many more steps may be listed."""

    def __init__(self, outlook: Outlook, snapshot: Snapshot, env: dict[str, Any]) -> None:
        self._outlook = outlook
        self._signatures = snapshot.language.nodes
        self._env = env
        self.left = MAX_STEPS

    def instance(self, job: JobPlan, instance: PlannedInstance) -> list[PlannedStep]:
        """The steps of one instance, then those of ``finally``."""
        names: dict[str, Any] = {
            "matrix": instance.matrix,
            "item": instance.item,
            "index": instance.index,
            "strategy": {"job-index": instance.index or 0},
            "steps": {step.id: Unknown(f"the step `{step.id}`") for step in all_steps(job.steps) if step.id},
            "job": {"status": Unknown("how its steps end")},
        }
        agent = instance.agent
        known = Unknown("which agent takes the job") if agent is None else {"id": agent.id, "name": agent.name}
        names |= {"agent": known, "runner": known}
        names["env"] = {**self._env, **known_texts(job.env, self._forecast(job, names, first=True))}
        names["vars"] = {**self._outlook.vars, **_set_later(job)}
        main = self._list(job, job.steps, names, first=True)
        return [*main, *self._list(job, job.finally_, names, first=False)]

    def _forecast(self, job: JobPlan, names: dict[str, Any], *, first: bool) -> Forecast:
        functions = _FIRST if first else {"success": _EARLIER, "failure": _EARLIER}
        return self._outlook.forecast(job, names, functions, _FIRST)

    def _list(
        self, job: JobPlan, nodes: Sequence[NodePlan], names: dict[str, Any], *, first: bool
    ) -> list[PlannedStep]:
        found: list[PlannedStep] = []
        for number, node in enumerate(nodes):
            if self.left <= 0:
                break
            self.left -= 1
            found.append(self._node(job, node, names, first=first and number == 0))
        return found

    def _node(self, job: JobPlan, node: NodePlan, names: dict[str, Any], *, first: bool) -> PlannedStep:
        forecast = self._forecast(job, names, first=first)
        if isinstance(node, StepPlan):
            return self._step(job, node, names, forecast)
        if isinstance(node, BranchPlan):
            return self._branch(job, node, names, forecast)
        inside = {**names, **_element(node.each)} if isinstance(node, LoopPlan) else names
        return PlannedStep(
            path=node.path,
            name=str(forecast.shown(node.name) or ""),
            node=str(type(node).__struct_config__.tag),
            condition=forecast.judge(node.condition),
            note=_note(node, forecast),
            steps=self._list(job, node.steps, inside, first=False),
        )

    def _branch(self, job: JobPlan, node: BranchPlan, names: dict[str, Any], forecast: Forecast) -> PlannedStep:
        judged = forecast.judge(node.test)
        taken = {"true": node.then, "false": node.otherwise}.get(judged.decision, (*node.then, *node.otherwise))
        note = {"true": "then", "false": "else"}.get(judged.decision, "then or else")
        return PlannedStep(
            path=node.path,
            name=str(forecast.shown(node.name) or ""),
            node="if",
            condition=judged,
            note=note,
            steps=self._list(job, taken, names, first=False),
        )

    def _step(self, job: JobPlan, step: StepPlan, names: dict[str, Any], forecast: Forecast) -> PlannedStep:
        inside = {**names, **_element(step.for_each)} if step.for_each is not None else names
        own = self._forecast(job, inside, first=False) if step.for_each is not None else forecast
        env = known_texts(step.env, own)
        if env:
            own = self._forecast(job, {**inside, "env": {**names["env"], **env}}, first=False)
        node = str(own.shown(step.uses.name))
        return PlannedStep(
            path=step.path,
            name=str(own.shown(step.name) or node),
            node=node,
            condition=None if step.condition == "success()" else forecast.judge(step.condition),
            inputs={name: own.shown(value) for name, value in step.inputs.items()},
            env={name: own.shown(value) for name, value in step.env.items()},
            run_as=str(own.shown(step.run_as) or ""),
            memory=_memory(step, own),
            note="" if step.for_each is None else _repeats(step.for_each, forecast),
            problems=self._problems(step, node, own),
        )

    def _problems(self, step: StepPlan, node: str, forecast: Forecast) -> list[str]:
        """What the agent would refuse, of the inputs that are known."""
        signature = self._signatures.get(node)
        if signature is None:
            named = step.uses.kind is UsesKind.EXPRESSION and "${{" not in node
            return [f"no agent has a node `{node}`"] if named else []
        return input_problems(signature, _known(step.inputs, forecast))


def _memory(step: StepPlan, forecast: Forecast) -> int | None:
    try:
        return forecast.memory(step.memory, "resources.memory")
    except (NotKnown, StepFailure):
        return None


def _known(inputs: dict[str, Any], forecast: Forecast) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, template in inputs.items():
        try:
            found[name] = forecast.resolve(template, f"with.{name}")
        except (NotKnown, StepFailure):
            continue
    return found


def _element(each: ForEachPlan) -> dict[str, Any]:
    element = Unknown("the element of the loop")
    return {each.alias: element, "item": element, "index": Unknown("the number of the element")}


def _set_later(job: JobPlan) -> dict[str, Unknown]:
    """The variables that a step of the job sets: from then on they are what it says."""
    return {
        name: Unknown(f"the step that sets `{name}`")
        for step in all_steps(job.steps)
        if step.uses.kind is UsesKind.CONTROL and step.uses.name == "vars/set"
        for name in step.inputs
    }


def _note(node: ParallelPlan | LoopPlan | WhilePlan, forecast: Forecast) -> str:
    if isinstance(node, LoopPlan):
        return _repeats(node.each, forecast)
    if isinstance(node, WhilePlan):
        judged: PlannedCondition = forecast.judge(node.test)
        return f"never: {node.test} is false" if judged.decision == "false" else f"while {node.test}"
    return "at once"


def _repeats(each: ForEachPlan, forecast: Forecast) -> str:
    try:
        items = forecast.resolve(each.items, "for-each")
    except NotKnown as unknown:
        return f"for each element; how many depends on {unknown}"
    except StepFailure as failure:
        return failure.error.message
    return f"for each of {len(items)} elements" if is_list(items) else "for-each: not a list"
