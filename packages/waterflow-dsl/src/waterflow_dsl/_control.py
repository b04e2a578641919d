"""The nodes that the interpreter runs itself, durably and without an agent, and the catalog's control structures."""

from __future__ import annotations

from typing import Any

from waterflow_dsl._catalog import DURATION_FORMAT, NodeSignature

_TEXT = {"type": "string"}
_DURATION = {"type": ["string", "number"], "format": DURATION_FORMAT, "description": "`10m` or a number of seconds"}
_NAMES = {"type": ["array", "string"], "items": {"type": "string"}}
_FREE: dict[str, Any] = {}
_ASKED: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {
        "type": {"enum": ["string", "number", "boolean", "choice", "json"]},
        "description": _TEXT,
        "required": {"type": ["boolean", "string"]},
        "default": {},
        "options": {"type": ["array", "string"]},
    },
    "additionalProperties": False,
}
"""An input of ``approval``: what an input under ``on.manual`` says."""


def _node(
    name: str,
    description: str,
    inputs: dict[str, Any],
    *required: str,
    outputs: dict[str, Any] | None = None,
    free: bool = False,
    one_of: tuple[str, ...] = (),
) -> NodeSignature:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": inputs,
        "required": list(required),
        "additionalProperties": free,
    }
    if one_of:
        schema["anyOf"] = [{"required": [each]} for each in one_of]
    given = {"type": "object", "properties": outputs or {}, "additionalProperties": free}
    return NodeSignature(
        name=name, version="1.0.0", description=description, inputs=schema, outputs=given, retry_safe=True
    )


_SIGNATURES = (
    _node("sleep", "Waits for a duration.", {"duration": _DURATION}, "duration"),
    _node(
        "wait",
        "Waits for a named event or until a time, whichever comes first; fails when the timeout is over.",
        {
            "until": {**_TEXT, "description": "a moment such as 2026-01-31T02:00:00Z"},
            "for": {**_TEXT, "description": "name of an event"},
            "timeout": _DURATION,
        },
        outputs={"event": _TEXT, "payload": _FREE},
        one_of=("for", "until"),
    ),
    _node(
        "approval",
        "Waits until somebody approves or rejects.",
        {
            "message": _TEXT,
            "approvers": _NAMES,
            "inputs": {"type": "object", "additionalProperties": _ASKED, "description": "what the answer must give"},
            "timeout": _DURATION,
        },
        outputs={
            "approved": {"type": "boolean"},
            "by": _TEXT,
            "at": _TEXT,
            "comment": _TEXT,
            "inputs": {"type": "object"},
        },
    ),
    _node("vars/set", "Sets variables for the later steps of the job.", {}, free=True),
    _node("data/transform", "Outputs made from expressions.", {}, free=True),
    _node("fail", "Ends the job as failed.", {"message": _TEXT}),
    _node("stop", "Ends the job as a success.", {"message": _TEXT}),
    _node(
        "workflow/run",
        "Starts another workflow as a run of its own, and waits for its end.",
        {
            "workflow": {**_TEXT, "description": "`./path` of a file beside this one, or a stored workflow"},
            "inputs": {"type": "object"},
            "vars": {"type": "object"},
            "secrets": {"type": "object", "description": "secrets that it gets; no other"},
            "wait": {"type": "boolean", "default": True},
        },
        "workflow",
        outputs={"id": _TEXT, "result": _TEXT, "outputs": {"type": "object"}},
    ),
)

CONTROL_NODES: dict[str, NodeSignature] = {signature.name: signature for signature in _SIGNATURES}
"""The nodes that the interpreter runs itself, by name."""

CONTROL_STRUCTURES: dict[str, NodeSignature] = {
    signature.name: signature
    for signature in (
        _node(
            "condition",
            "`if` with `then` and `else`: one list of steps or the other.",
            {"if": _TEXT, "then": _FREE, "else": _FREE},
        ),
        _node("loop", "`for-each` or `while` with `steps`.", {"for-each": _FREE, "while": _TEXT, "steps": _FREE}),
        _node("parallel", "Steps at once.", {"parallel": _FREE, "max-parallel": {"type": "integer"}}),
    )
}
"""The structures of the language as the catalog lists them; they are keys of a step and not names for ``uses``."""
