"""Lists of steps: which kind of step or block an entry is."""

from __future__ import annotations

from typing import Any

from waterflow_dsl._codes import Code
from waterflow_dsl._convert._objects import first_line, read_object
from waterflow_dsl._convert._reader import UNSET, At, Reader
from waterflow_dsl._schema._tables import OBJECTS
from waterflow_dsl._schema._types import ActionSteps, ObjectType, Steps, fold
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
        steps.append(read_object(reader, OBJECTS["action-step"], item, place.path))
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
    kind = _kind(node) if reader.dialect == "waterflow" else OBJECTS["step"]
    step = read_object(reader, kind, node, at.path)
    if kind.name == "step":
        _check_does_something(reader, node, at)
    return step


def _kind(node: Mapping) -> ObjectType:
    keys = {fold(key) for key in node.entries}
    if "parallel" in keys:
        return OBJECTS["parallel"]
    if "then" in keys:
        return OBJECTS["branch"]
    if "while" in keys:
        return OBJECTS["while"]
    return OBJECTS["loop"] if {"for-each", "steps"} <= keys else OBJECTS["step"]


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
