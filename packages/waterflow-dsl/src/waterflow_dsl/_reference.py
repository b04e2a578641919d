"""The parts of the reference that are made from the tables: diagnostics, keys, contexts, functions. Markdown."""

from __future__ import annotations

from waterflow_dsl._analysis._fields import FIXED
from waterflow_dsl._analysis._shapes import Closed
from waterflow_dsl._codes import CODES
from waterflow_dsl._control import CONTROL_NODES
from waterflow_dsl._schema._tables import WORKFLOW_OBJECTS
from waterflow_dsl._schema._types import Field, ObjectType
from waterflow_dsl.expressions import FUNCTIONS


def diagnostics_reference() -> str:
    """``docs/reference/diagnostics.md``."""
    head = [
        "# Diagnostics",
        "",
        "Every finding has a stable code. Errors keep a file from running; warnings and notes do not.",
        "`waterflow validate` ends with 0 when there is no error, and with 2 when there is one.",
        "",
        "This page is made from the table in `waterflow_dsl/_codes.py`.",
    ]
    for code, info in CODES.items():
        head += ["", f"## {code.value}", "", f"**{info.title}** ({info.severity.value})", "", info.explanation]
    return "\n".join(head) + "\n"


def keys_reference() -> str:
    """One table of keys for each kind of object."""
    return "\n".join(_object(kind) for kind in WORKFLOW_OBJECTS.values())


def _object(kind: ObjectType) -> str:
    rows = ["| key | meaning | expressions may read |", "|---|---|---|", *(_row(field) for field in kind.fields)]
    return "\n".join([f"### {kind.title}", "", *rows, ""])


def _row(field: Field) -> str:
    notes = " Required." if field.required else ""
    if field.origin == "github":
        notes += " GitHub's; no effect here."
    names = ", ".join(f"`{name}`" for name in (field.name, *field.aliases))
    place = "static" if field.place is None else " ".join(f"`{name}`" for name in sorted(field.place.contexts))
    return f"| {names} | {field.help}{notes} | {place} |".replace("||", "\\|\\|")


def contexts_reference() -> str:
    """The fields of the contexts that are the same in every workflow."""
    rows = ["| context | fields |", "|---|---|"]
    for name, shape in FIXED.items():
        fields = " ".join(f"`{field}`" for field in shape.names) if isinstance(shape, Closed) else "known at run time"
        rows.append(f"| `{name}` | {fields} |")
    return "\n".join(rows) + "\n"


def functions_reference() -> str:
    """Every function; those that GitHub does not have are marked."""
    rows = ["| function | meaning | |", "|---|---|---|"]
    for function in FUNCTIONS.values():
        origin = "Waterflow" if function.extension else ""
        rows.append(f"| `{function.signature}` | {function.summary} | {origin} |")
    return "\n".join(rows) + "\n"


def control_nodes_reference() -> str:
    """The nodes that run without an agent."""
    rows = ["| node | meaning | inputs |", "|---|---|---|"]
    for node in CONTROL_NODES.values():
        inputs = " ".join(f"`{name}`" for name in node.inputs["properties"]) or "any"
        rows.append(f"| `{node.name}` | {node.description} | {inputs} |")
    return "\n".join(rows) + "\n"


GENERATED = {
    "keys": keys_reference,
    "contexts": contexts_reference,
    "functions": functions_reference,
    "control-nodes": control_nodes_reference,
}
"""The blocks between ``<!-- begin: name -->`` and ``<!-- end: name -->`` of ``docs/reference/language.md``."""


def with_generated(page: str) -> str:
    """The page with its generated blocks made anew."""
    for name, make in GENERATED.items():
        begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->"
        before, found, rest = page.partition(begin)
        if found:
            page = before + begin + "\n" + make() + "\n" + end + rest.partition(end)[2]
    return page
