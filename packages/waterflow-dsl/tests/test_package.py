"""The borders of the package: its public names, what it imports, and that it is pure."""

import ast
import subprocess
import sys
from pathlib import Path

import waterflow_dsl

SOURCE = Path(waterflow_dsl.__file__).parent
ALLOWED = {"waterflow_dsl", "msgspec", "yaml", "jsonschema"}
IMPURE = {
    "os",
    "io",
    "socket",
    "subprocess",
    "random",
    "secrets",
    "time",
    "pathlib",
    "threading",
    "asyncio",
    "tempfile",
}
PUBLIC = [
    "CONTROL_NODES",
    "CONTROL_STRUCTURES",
    "PLAN_VERSION",
    "ActionResult",
    "Catalog",
    "CheckResult",
    "CheckedFiles",
    "Diagnostic",
    "ExpressionError",
    "NodeSignature",
    "Plan",
    "PlanVersionError",
    "called_key",
    "check",
    "check_action",
    "check_files",
    "decode_plan",
    "encode_plan",
    "evaluate",
    "interpolate",
    "named_workflows",
    "parse_duration",
    "parse_expression",
    "parse_memory",
    "render_github",
    "render_json",
    "render_sarif",
    "render_text",
    "suggest",
    "target_of",
    "workflow_schema",
]


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in found}


class TestPublicNames:
    def test_are_exactly_these_and_sorted(self) -> None:
        assert waterflow_dsl.__all__ == sorted(
            PUBLIC, key=lambda name: (name.upper() != name, not name[0].isupper(), name)
        )
        assert all(hasattr(waterflow_dsl, name) for name in PUBLIC)

    def test_have_a_docstring(self) -> None:
        assert waterflow_dsl.__doc__
        missing = [
            name
            for name in PUBLIC
            if callable(getattr(waterflow_dsl, name)) and not getattr(waterflow_dsl, name).__doc__
        ]
        assert missing == []


class TestImports:
    def test_only_what_is_allowed(self) -> None:
        found = {name for path in SOURCE.rglob("*.py") for name in _imports(path)}
        assert found - set(sys.stdlib_module_names) <= ALLOWED

    def test_nothing_that_reads_a_clock_a_file_or_a_random_number(self) -> None:
        found = {name for path in SOURCE.rglob("*.py") for name in _imports(path)}
        assert found & IMPURE == set()

    def test_json_schema_is_imported_only_when_a_catalog_is_given(self) -> None:
        work = "waterflow_dsl.check('jobs: {a: {steps: [{run: x}]}}')"
        program = f"import sys, waterflow_dsl; {work}; print('jsonschema' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout == "False\n"
