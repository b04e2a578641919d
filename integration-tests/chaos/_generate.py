"""From a seed to a workflow and the faults that come while it runs. Pure: the same seed makes the same."""

from __future__ import annotations

import random

from ._model import AGENTS, Branch, Condition, Each, Fault, Job, Loop, Node, Step, Together, Workflow

_DEEPEST = 2
_LATEST_FAULT = 6.0


def generate(seed: int) -> tuple[Workflow, list[Fault]]:
    """The workflow and the faults of a seed."""
    made = _Generator(random.Random(seed))
    workflow = made.workflow(f"chaos-{seed}")
    return workflow, made.faults()


class _Generator:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._count = 0

    def workflow(self, name: str) -> Workflow:
        jobs: list[Job] = []
        for _ in range(self._dice.randint(2, 4)):
            jobs.append(self._job([job.id for job in jobs]))
        return Workflow(name=name, jobs=jobs)

    def faults(self) -> list[Fault]:
        targets = self._dice.choices(
            (*AGENTS, "server", "temporal"), weights=(4, 4, 4, 3, 4), k=self._dice.randint(1, 5)
        )
        return sorted((self._fault(target) for target in targets), key=lambda fault: fault.at)

    def _fault(self, target: str) -> Fault:
        freeze = target != "temporal" and self._chance(0.25)
        down = self._dice.uniform(0, 8 if freeze else 3)
        at = self._dice.uniform(0.1, _LATEST_FAULT)
        return Fault(at=round(at, 2), target=target, down=round(down, 2), freeze=freeze)

    def _job(self, before: list[str]) -> Job:
        dice = self._dice
        matrix = dice.choice((0, 0, 0, 2, 3))
        one_by_one = matrix > 0 and self._chance(0.3)
        return Job(
            id=self._name("job"),
            needs=dice.sample(before, k=min(len(before), dice.choice((0, 1, 1, 2)))),
            where=dice.choice(("any", "any", "all", dice.choice(AGENTS))) if matrix < 3 else "any",
            matrix=matrix,
            max_parallel=int(one_by_one),
            fail_fast=one_by_one and self._chance(0.6),
            loss=dice.choice(("reassign", "reassign", "fail")),
            retry=dice.choice((1, 1, 1, 2)),
            tolerated=self._chance(0.2),
            condition=dice.choice(("", "", "", "always()", "failure()")) if before else "",
            steps=self._nodes(depth=0, most=4),
            on_failure=[self._ending() for _ in range(dice.choice((0, 1)))],
            finally_=[self._ending() for _ in range(dice.choice((0, 1)))],
        )

    def _nodes(self, depth: int, most: int) -> list[Node]:
        return [self._node(depth) for _ in range(self._dice.randint(1, most))]

    def _node(self, depth: int) -> Node:
        if depth == _DEEPEST or self._chance(0.6):
            return self._step()
        made = self._dice.choice((self._branch, self._each, self._loop, self._together))
        return made(depth + 1)

    def _step(self) -> Step:
        dice = self._dice
        retry = dice.choice((1, 1, 2, 3))
        return Step(
            name=self._name("step"),
            fails=dice.choice((0, 0, 0, 0, 1, 2, 99)) if self._chance(0.7) else 0,
            retry=retry,
            tolerated=self._chance(0.25),
            condition=_condition(dice),
            seconds=dice.choice((0.0, 0.0, 0.2, 0.5, 1.5)),
            undo=self._chance(0.4),
            lines=dice.choice((1, 2, 5, 40)),
        )

    def _ending(self) -> Step:
        return Step(name=self._name("end"), seconds=self._dice.choice((0.0, 0.3)))

    def _branch(self, depth: int) -> Node:
        other = self._nodes(depth, 2) if self._chance(0.7) else []
        return Branch(name=self._name("branch"), test=self._chance(0.5), then=self._nodes(depth, 2), otherwise=other)

    def _each(self, depth: int) -> Node:
        items = self._dice.randint(1, 3)
        return Each(
            name=self._name("each"),
            items=items,
            parallel=self._dice.choice((1, items)),
            fail_fast=self._chance(0.7),
            steps=self._nodes(depth, 2),
        )

    def _loop(self, depth: int) -> Node:
        counter = Step(name=self._name("count"), fails=self._dice.choice((0, 0, 1)), retry=2)
        return Loop(
            name=self._name("loop"),
            turns=self._dice.randint(1, 3),
            counter=counter,
            steps=self._nodes(depth, 1),
        )

    def _together(self, depth: int) -> Node:
        steps = [self._node(depth) for _ in range(self._dice.randint(2, 3))]
        return Together(
            name=self._name("together"),
            limit=self._dice.choice((1, len(steps))),
            fail_fast=self._chance(0.7),
            steps=steps,
        )

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def _chance(self, of: float) -> bool:
        return self._dice.random() < of


def _condition(dice: random.Random) -> Condition:
    conditions: tuple[Condition, ...] = ("", "", "", "", "", "", "always()", "failure()", "1 == 2")
    return dice.choice(conditions)
