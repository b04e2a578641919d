"""References against shapes: does what an expression reads exist?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import msgspec

from waterflow_dsl._analysis._shapes import Closed, ListOf, Names, Shape, Similar
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report, did_you_mean
from waterflow_dsl.expressions import Reference
from waterflow_dsl.expressions import Span as Stretch


class Finding(msgspec.Struct, frozen=True):
    """A name that cannot exist; ``span`` is its place in the expression (1-based)."""

    code: Code
    message: str
    span: Stretch
    hint: str | None


def check_reference(reference: Reference, contexts: Mapping[str, Shape], report: Report) -> Finding | None:
    """The first name of a reference that cannot exist; None when all may."""
    head = reference.path[0]
    shape: Shape | None = contexts.get(str(head)) or contexts.get(str(head).lower())
    for segment, span in zip(reference.path[1:], reference.spans[1:], strict=True):
        if isinstance(shape, ListOf):
            shape = shape.items if segment is None or isinstance(segment, int) else None
            continue
        if isinstance(shape, Similar) and isinstance(segment, str):
            return _mistyped(shape, segment, span, report)
        if not isinstance(shape, Closed) or not isinstance(segment, str):
            return None
        found = _lookup(shape, segment)
        if found is None:
            return _unknown(shape, segment, span, report)
        shape = found
    return None


def _mistyped(shape: Similar, name: str, span: Stretch, report: Report) -> Finding | None:
    if name.lower() in {each.lower() for each in shape.names}:
        return None
    near = report.nearest(name, shape.names, similarity=0.85)
    return (
        None
        if near is None
        else Finding(shape.code, f"{shape.what} declares no `{name[:60]}`", span, did_you_mean(near))
    )


def _lookup(shape: Closed, name: str) -> Shape | None:
    found = shape.names.get(name)
    if found is None and isinstance(shape.names, Names):
        return shape.names.find(name)
    if found is None:
        folded = name.lower()
        found = next((each for key, each in shape.names.items() if key.lower() == folded), None)
    return found


def _unknown(shape: Closed, name: str, span: Stretch, report: Report) -> Finding:
    refused = shape.refused.get(name)
    if refused is not None:
        return Finding(refused[0], refused[1], span, refused[2])
    near = report.nearest(name, shape.names)
    known = ", ".join(islice(shape.names, 8))
    hint = did_you_mean(near) or shape.hint or (f"there is: {known}" if known else None)
    return Finding(shape.code, shape.unknown.replace("{}", name[:60]), span, hint)
