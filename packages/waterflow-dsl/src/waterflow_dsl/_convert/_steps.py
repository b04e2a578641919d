"""Lists of steps: which kind of step or block an entry is."""

from __future__ import annotations

from typing import Any

from waterflow_dsl._codes import Code
from waterflow_dsl._convert._objects import first_line, read_object
from waterflow_dsl._convert._reader import UNSET, At, Reader
from waterflow_dsl._schema._tables import OBJECTS
from waterflow_dsl._schema._types import ActionSteps, Steps, fold
from waterflow_dsl._source import Mapping, Node, Scalar, Sequence


def read_steps(reader: Reader, kind: Steps, node: Node, at: At) -> Any:
    """The steps of a list; entries that were refused are left out."""
    if isinstance(node, Mapping) and kind.single:
        step = _read_step(reader, node, At(f"{at.path}[0]", at.field))
        return () if step is UNSET else (step,)
    if not isinstance(node, Sequence):
        return reader.wrong_type(node, at, "a list of steps (each starts with `- `)")
    if not node.items:
        reader.report(Code.NO_JOBS, node, f"`{at.path.rpartition('.')[2]}` holds no step", at.path)
        return UNSET
    steps = [_read_step(reader, item, at.item(index)) for index, item in enumerate(node.items)]
    return tuple(step for step in steps if step is not UNSET)


def read_action_steps(reader: Reader, _kind: ActionSteps, node: Node, at: At) -> Any:
    """The steps of a composite action: each has `uses`, or `run` with a `shell`."""
    if not isinstance(node, Sequence):
        return reader.wrong_type(node, at, "a list of steps (each starts with `- `)")
    steps: list[Any] = []
    for index, item in enumerate(node.items):
        place = at.item(index)
        if not isinstance(item, Mapping):
            reader.wrong_type(item, place, "a mapping (a step)")
            continue
        steps.append(read_object(reader, reader.objects["action-step"], item, place.path))
        _check_does_something(reader, item, place)
        if "run" in item.entries and "shell" not in item.entries:
            key, message = item.entries["run"].key, "a composite step with `run` needs `shell`"
            reader.report(Code.ACTION_KEY, key, message, place.path, "add `shell: bash`")
    return tuple(steps)


def _read_step(reader: Reader, node: Node, at: At) -> Any:
    if not isinstance(node, Mapping):
        if isinstance(node, Scalar) and isinstance(node.value, str):
            hint = f"write `- run: {node.value.splitlines()[0][:40]}`" if node.value.strip() else None
            reader.report(Code.WRONG_TYPE, node, "a step is a mapping, not text", at.path, hint)
            return UNSET
        return reader.wrong_type(node, at, "a mapping (a step)")
    kind = reader.objects[_kind_on_github(node) if reader.github else _kind(node)]
    step = read_object(reader, kind, node, at.path)
    if kind.name == "parallel-step":
        _check_not_nested(reader, node, at)
    if kind.name == "step":
        _check_does_something(reader, node, at)
    return step


def _check_not_nested(reader: Reader, node: Mapping, at: At) -> None:
    inner = node.entries["parallel"].value
    for index, step in enumerate(inner.items if isinstance(inner, Sequence) else ()):
        if isinstance(step, Mapping) and "parallel" in step.entries:
            place = f"{at.path}.parallel[{index}]"
            hint = "GitHub takes `run` and `uses` in it"
            key = step.entries["parallel"].key
            reader.report(Code.NOT_IN_GITHUB, key, "`parallel` inside `parallel` is Waterflow's", place, hint)


def _kind(node: Mapping) -> str:
    keys = {fold(key) for key in node.entries}
    for key, kind in _BLOCKS.items():
        if key in keys:
            return kind
    return "loop" if {"for-each", "steps"} <= keys else "step"


def _kind_on_github(node: Mapping) -> str:
    if "run" in node.entries and "uses" in node.entries:
        return "step"
    return next((kind for key, kind in _KINDS_ON_GITHUB.items() if key in node.entries), "step")


_BLOCKS = {"parallel": "parallel", "then": "branch", "while": "while"}
_KINDS_ON_GITHUB = {"run": "run-step", "uses": "uses-step", "parallel": "parallel-step"}


_DOES = frozenset({"run", "uses"})
_KNOWN = frozenset(field.name for field in OBJECTS["step"].fields)


def _check_does_something(reader: Reader, node: Mapping, at: At) -> None:
    keys = {fold(key) for key in node.entries}
    if keys & _DOES or not keys <= _KNOWN:
        return
    hint = "add `run: <script>` or `uses: <node>`"
    reader.report(
        Code.NOT_A_STEP, first_line(node), "the step does nothing: it has neither `run` nor `uses`", at.path, hint
    )
