"""Which steps have run at a place of a job, and what they may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from waterflow_dsl._analysis._shapes import Closed, Names, Shape, either
from waterflow_dsl._codes import Code

Refusal = tuple[Code, str, str]


class SeenSteps:
    """The steps that have run, while a job is walked through; ``shape`` is the context ``steps`` at any moment."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._shapes = Names()
        self._refused: dict[str, Refusal] = {
            each: (Code.LATER_STEP, f"the step `{each}` has not run yet here", "move it before this one")
            for each in ids
        }
        self._journal: list[tuple[str, Shape | None]] = []
        unknown, hint = "no step of this job has the id `{}`", "give the step an `id`"
        self.shape = Closed(self._shapes, unknown, Code.UNKNOWN_STEP, hint, self._refused)

    def add(self, shapes: Mapping[str, Shape]) -> None:
        """These have run."""
        for step_id, shape in shapes.items():
            self._journal.append((step_id, self._shapes.get(step_id)))
            self._shapes[step_id] = shape

    def mark(self) -> int:
        """A moment that :meth:`back` can go back to."""
        return len(self._journal)

    def back(self, mark: int) -> dict[str, Shape]:
        """Go back to a moment; gives what was added since. Costs what was added, not what there is."""
        added: dict[str, Shape] = {}
        while len(self._journal) > mark:
            step_id, before = self._journal.pop()
            added.setdefault(step_id, self._shapes[step_id])
            if before is None:
                del self._shapes[step_id]
            else:
                self._shapes[step_id] = before
        return added

    def hide(self, ids: Iterable[str], why: str) -> Hidden:
        """These cannot be read for now; ``why`` has ``{}`` for the id."""
        hidden: Hidden = {}
        for step_id in ids:
            hidden[step_id] = (self._refused[step_id], self._shapes.pop(step_id, None))
            hint = "read it after the block"
            self._refused[step_id] = (Code.LATER_STEP, why.replace("{}", step_id), hint)
        return hidden

    def show(self, hidden: Hidden) -> None:
        """Undo :meth:`hide`."""
        for step_id, (refusal, shape) in hidden.items():
            self._refused[step_id] = refusal
            if shape is not None:
                self._shapes[step_id] = shape


Hidden = dict[str, tuple[Refusal, Shape | None]]
"""What :meth:`SeenSteps.hide` took away, by id."""


def merged(one: Mapping[str, Shape], other: Mapping[str, Shape]) -> dict[str, Shape]:
    """What there is when one list of steps has run, or the other."""
    both = {step_id: either(one[step_id], shape) for step_id, shape in other.items() if step_id in one}
    return {**one, **other, **both}
