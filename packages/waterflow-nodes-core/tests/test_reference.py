"""``docs/reference/nodes.md`` says what the manifests say. Write it anew: ``python tests/test_reference.py``."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from waterflow_sdk.node import NodeManifest, manifest_of, node_class

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "nodes.md"
README = Path(__file__).parents[1] / "README.md"

HEAD = """# Built-in nodes

Generated from the nodes' manifests (`waterflow-nodes-core/tests/test_reference.py`). Inputs go into `with:`, outputs
are read as `${{ steps.<id>.outputs.<name> }}`. Relative paths start at the job's workspace and may not leave it;
absolute paths are bounded by what the agent's user may do.
"""


def render() -> str:
    entries = [
        entry for entry in entry_points(group="waterflow.nodes") if entry.module.startswith("waterflow_nodes_core.")
    ]
    manifests = [manifest_of(node_class(entry.load())) for entry in sorted(entries, key=lambda entry: entry.name)]
    return HEAD + "".join(_node(manifest) for manifest in manifests)


def _node(manifest: NodeManifest) -> str:
    examples = "".join(f"\n{example.title}:\n\n```yaml\n{example.yaml}```\n" for example in manifest.examples)
    repeat = "Safe to repeat: yes.\n" if manifest.retry_safe else "Safe to repeat: no.\n"
    open_ended = manifest.outputs.get("additionalProperties") is True
    more = "\nFurther outputs have the names that the step gives them.\n" if open_ended else ""
    return (
        f"\n## {manifest.name}\n\n{manifest.description}\n\n{repeat}"
        f"\n| input | type | default | |\n|---|---|---|---|\n{_rows(manifest.inputs, defaults=True)}"
        f"\n| output | type | |\n|---|---|---|\n{_rows(manifest.outputs, defaults=False)}{more}{examples}"
    )


def _rows(schema: dict[str, Any], *, defaults: bool) -> str:
    rows: list[str] = []
    for name, field in schema.get("properties", {}).items():
        cells = [f"`{name}`", _type(field)]
        if defaults:
            required = name in schema.get("required", ())
            cells.append("required" if required else _default(field))
        rows.append("| " + " | ".join([*cells, field["description"].replace("|", "\\|")]) + " |\n")
    return "".join(rows)


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    return "" if value in (None, "", [], {}) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"] if option != {"type": "null"}))
    if "$ref" in field:
        return "object"
    kind = field.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else kind


class TestDocuments:
    def test_the_reference_is_current(self) -> None:
        assert REFERENCE.read_text("utf-8") == render()

    def test_the_example_of_the_readme_runs(self) -> None:
        code = README.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
        exec(compile(code, str(README), "exec"), {"__name__": "readme"})


if __name__ == "__main__":
    REFERENCE.write_text(render(), "utf-8")
