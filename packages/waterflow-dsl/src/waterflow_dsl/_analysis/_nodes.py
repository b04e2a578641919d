"""``uses`` and ``with``: the node exists, and takes what it is given."""

from __future__ import annotations

from typing import Any

from waterflow_dsl import model
from waterflow_dsl._analysis._contexts import is_closed, signature_of
from waterflow_dsl._analysis._inputs import check_value
from waterflow_dsl._catalog import Catalog, NodeSignature
from waterflow_dsl._codes import Code
from waterflow_dsl._control import CONTROL_NODES, CONTROL_STRUCTURES
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Report, did_you_mean
from waterflow_dsl._source import Mapping
from waterflow_dsl._uses import parse_uses
from waterflow_dsl.plan import UsesKind, UsesPlan


class NodeChecker:
    """Checks what the steps of a file use."""

    def __init__(self, catalog: Catalog | None, report: Report, dialect: Dialect) -> None:
        self._catalog = catalog
        self._report = report
        self._dialect = dialect

    def check(self, step: model.Step) -> None:
        """Report what is wrong with ``uses`` and ``with`` of a step."""
        if step.uses is None:
            return
        uses = parse_uses(step.uses, self._catalog)
        if uses is None:
            message = f"`{step.uses[:60]}` is neither a node nor an action, directory or image"
            self._add(
                Code.USES_FORM,
                step,
                message,
                "a node `docker/exec`, an action `owner/repo@v1`, `./dir`, `docker://image`",
            )
        elif self._dialect == "github":
            self._check_github(step, uses)
        else:
            self._check_kind(step, uses)

    def _check_github(self, step: model.Step, uses: UsesPlan) -> None:
        if uses.kind in (UsesKind.NODE, UsesKind.CONTROL, UsesKind.LIBRARY):
            self._add(Code.USES_FORM, step, f"`{step.uses}` has no `@ref`", "GitHub wants `owner/repo@ref`")

    def _check_kind(self, step: model.Step, uses: UsesPlan) -> None:
        if uses.kind in (UsesKind.ACTION, UsesKind.DOCKER):
            what = "action" if uses.kind is UsesKind.ACTION else "image"
            self._add(
                Code.ACTION_RUNTIME, step, f"the {what} `{uses.name}` needs the action runtime on the agent", None
            )
        if uses.kind not in (UsesKind.NODE, UsesKind.CONTROL):
            return
        signature = signature_of(uses.name, self._catalog)
        if signature is None:
            self._unknown(step, uses.name)
        elif uses.ref and not _version_fits(uses.ref, signature.version):
            message = f"the node `{uses.name}` is there in version {signature.version}, not {uses.ref}"
            self._add(Code.UNKNOWN_NODE, step, message, f"write `{uses.name}@{signature.version.split('.')[0]}`")
        else:
            self._check_inputs(step, uses, signature)

    def _unknown(self, step: model.Step, name: str) -> None:
        if name in CONTROL_STRUCTURES:
            hint = CONTROL_STRUCTURES[name].description
            self._add(Code.UNKNOWN_NODE, step, f"`{name}` is a structure, not a node for `uses`", hint)
            return
        if self._catalog is None:
            return
        near = did_you_mean(self._report.nearest(name, [*self._catalog.nodes, *CONTROL_NODES]))
        hint = self._catalog.broken.get(name) or near or "`waterflow node list` shows all"
        self._add(Code.UNKNOWN_NODE, step, f"unknown node `{name}`", hint)

    def _check_inputs(self, step: model.Step, uses: UsesPlan, signature: NodeSignature) -> None:
        properties: dict[str, Any] = signature.inputs.get("properties", {})
        for key in ("shell", "working-directory"):
            written = step.shell if key == "shell" else step.working_directory
            if written is not None and key not in properties and uses.name != "shell":
                message = f"the node `{uses.name}` does not take `{key}`"
                self._report.add(Code.NOT_FOR_NODE, step.key(key), message, path=f"{step.path}.{key}", hint="remove it")
        given = step.node_of("with")
        if isinstance(step.with_, str):
            return
        present = {key for key in ("shell", "working-directory") if getattr(step, key.replace("-", "_"))}
        if isinstance(given, Mapping) and given is not step.node:
            present |= self._check_given(step, given, signature, properties)
        alternatives = _unmet_alternatives(signature.inputs, present)
        if alternatives:
            names = " or ".join(f"`{name}`" for name in alternatives)
            self._add(Code.MISSING_NODE_INPUT, step, f"the node `{uses.name}` needs {names}", "add it under `with:`")
        missing = [name for name in signature.inputs.get("required", ()) if name not in present]
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            self._add(Code.MISSING_NODE_INPUT, step, f"the node `{uses.name}` needs {names}", "add it under `with:`")

    def _check_given(
        self, step: model.Step, given: Mapping, signature: NodeSignature, properties: dict[str, Any]
    ) -> set[str]:
        """Report inputs that do not fit; gives the names that are there, or were probably meant to be."""
        present: set[str] = set()
        for name, entry in given.entries.items():
            path = f"{step.path}.with.{name}"
            near = name if name in properties else self._report.nearest(name, properties)
            present.add(near or name)
            if name in properties:
                check_value(signature.inputs, name, entry.value, path, self._report)
            elif is_closed(signature.inputs):
                message = f"the node `{signature.name}` has no input `{name[:60]}`"
                hint = did_you_mean(near) or "inputs: " + (", ".join(properties) or "none")
                self._report.add(Code.UNKNOWN_NODE_INPUT, entry.key, message, path=path, hint=hint)
        return present

    def _add(self, code: Code, step: model.Step, message: str, hint: str | None) -> None:
        self._report.add(code, step.node_of("uses"), message, path=f"{step.path}.uses", hint=hint)


def _unmet_alternatives(schema: dict[str, Any], present: set[str]) -> list[str]:
    """The names of an ``anyOf`` of required inputs when none of them is there."""
    groups: list[dict[str, Any]] = schema.get("anyOf", [])
    required: list[list[str]] = [group.get("required", []) for group in groups]
    met = any(set(names) <= present for names in required)
    return [] if met else [name for names in required for name in names]


def _version_fits(ref: str, version: str) -> bool:
    wanted, there = ref.removeprefix("v").split("."), version.split(".")
    return there[: len(wanted)] == wanted
