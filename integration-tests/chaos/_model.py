"""What a generated workflow is made of. The source text and the oracle are both made from it, and from nothing else."""

from __future__ import annotations

from typing import Literal

import msgspec

AGENTS = ("a1", "a2", "a3")
GROUP = "web"

Condition = Literal["", "always()", "failure()", "1 == 2"]
Loss = Literal["reassign", "fail"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Appends its effect and prints ``lines`` lines; its attempts up to number ``fails`` fail after ``seconds``.

    ``retry`` is the number of attempts, ``tolerated`` is continue-on-error, ``undo`` asks for a rollback step.
    """

    name: str
    fails: int = 0
    retry: int = 1
    tolerated: bool = False
    condition: Condition = ""
    seconds: float = 0.0
    undo: bool = False
    lines: int = 2


class Branch(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """``if/then/else``."""

    name: str
    test: bool
    then: list[Node]
    otherwise: list[Node]


class Each(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """``for-each`` over as many items."""

    name: str
    items: int
    parallel: int
    fail_fast: bool
    steps: list[Node]


class Loop(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """``while``: ``counter`` counts the turns by an output that the condition reads."""

    name: str
    turns: int
    counter: Step
    steps: list[Node]


class Together(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """``parallel``; ``limit`` is 1 or the number of its steps, so that what starts does not depend on speed."""

    name: str
    limit: int
    fail_fast: bool
    steps: list[Node]


Node = Step | Branch | Each | Loop | Together


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job. ``where`` is ``any`` or ``all`` of the group, or an agent; ``matrix`` a number of instances, 0 = none.

    ``max_parallel`` is 0 (no limit) or 1, and only with 1 may ``fail_fast`` be set.
    """

    id: str
    needs: list[str]
    where: str
    matrix: int
    max_parallel: int
    fail_fast: bool
    loss: Loss
    retry: int
    tolerated: bool
    condition: Condition
    steps: list[Node]
    on_failure: list[Step]
    finally_: list[Step]


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file. Jobs stand after those they need."""

    name: str
    jobs: list[Job]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """``kill -9`` of ``target`` (an agent, ``server`` or ``temporal``), ``at`` seconds after the submit; it is started
    again ``down`` seconds later. ``freeze``: it is stopped and goes on instead, as a host without time does.
    """

    at: float
    target: str
    down: float
    freeze: bool = False
