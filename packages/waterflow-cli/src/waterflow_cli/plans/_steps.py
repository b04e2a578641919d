"""A dry run: the steps of every job instance, with their inputs as far as they are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from waterflow_sdk.wire import PlannedInstance, PlannedStep, PlanView

from .._console import clean, make_console
from ._plan import runs

_LINES = 3
"""Lines of an input that are shown."""


def show_steps(view: PlanView) -> bool:
    """Write the steps of a dry run; False when an agent would refuse one of them."""
    console = make_console()
    sound = True
    for job in view.jobs:
        if job.condition.expected is False:
            console.print(Text.assemble("\n", (job.name, "bold"), "  does not run"))
        for instance in job.instances if job.condition.expected is not False else ():
            console.print(Text.assemble("\n", (clean(_title(instance), colour=False), "bold")))
            for line, style in _lines(instance.steps, 1):
                sound = sound and style != "red"
                console.print(Text(clean(line, colour=False), style))
    if view.truncated:
        console.print("\nthere are more steps than are listed")
    return sound


def _title(instance: PlannedInstance) -> str:
    where = f" on {instance.agent.name}" if instance.agent else ""
    return f"{instance.name}{where}" + (f"  ({instance.offline})" if instance.offline else "")


def _lines(steps: Sequence[PlannedStep], depth: int) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    for step in steps:
        note = f"  as {step.run_as}" if step.run_as else ""
        note += f"  at most {step.memory / 1024**2:.4g} MiB" if step.memory is not None else ""
        note += f"  {step.note}" if step.note else ""
        yield f"{indent}{step.path}  {step.name}{f' ({step.node})' if step.node != step.name else ''}{note}", ""
        if step.condition is not None and step.condition.decision != "true":
            said = runs(step.condition)
            yield f"{indent}    runs: {said if isinstance(said, str) else said[0]}", "dim"
        for name, value in step.inputs.items():
            yield from ((f"{indent}    {line}", "dim") for line in _input(name, value))
        for problem in step.problems:
            yield f"{indent}    refused: {problem}", "red"
        yield from _lines(step.steps, depth + 1)


def _input(name: str, value: object) -> Iterator[str]:
    text = value if isinstance(value, str) else str(value)
    first, *rest = text.rstrip("\n").splitlines() or [""]
    yield f"{name}: {first}"
    for line in rest[: _LINES - 1]:
        yield f"{' ' * (len(name) + 2)}{line}"
    if len(rest) >= _LINES:
        yield f"{' ' * (len(name) + 2)}… {len(rest) - _LINES + 1} more lines"
