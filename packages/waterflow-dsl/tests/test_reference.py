"""The documents are in step with the tables, and what they show works."""

import re
from pathlib import Path

import msgspec
import pytest

from waterflow_dsl import check, render_text, workflow_schema
from waterflow_dsl._codes import CODES, Code
from waterflow_dsl._reference import diagnostics_reference, with_generated

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
PACKAGE = ROOT / "packages" / "waterflow-dsl"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", (REFERENCE / "language.md").read_text("utf-8"), re.DOTALL)


class TestDiagnosticsPage:
    def test_is_made_from_the_table_of_codes(self) -> None:
        assert (REFERENCE / "diagnostics.md").read_text("utf-8") == diagnostics_reference()

    def test_every_code_is_in_the_table_once(self) -> None:
        assert list(CODES) == list(Code)

    def test_every_code_is_reported_somewhere(self) -> None:
        source = "".join(path.read_text("utf-8") for path in (PACKAGE / "src").rglob("*.py"))
        assert [code.name for code in Code if source.count(f"Code.{code.name}") < 2] == []


class TestLanguagePage:
    def test_its_tables_are_made_from_the_schema(self) -> None:
        page = (REFERENCE / "language.md").read_text("utf-8")
        assert page == with_generated(page)

    @pytest.mark.parametrize("example", EXAMPLES)
    def test_every_example_compiles(self, example: str) -> None:
        assert [each.message for each in check(example).diagnostics] == []


class TestReadme:
    def test_shows_what_the_example_prints(self) -> None:
        readme = (PACKAGE / "README.md").read_text("utf-8")
        text = re.findall(r'text = """(.*?)"""', readme, re.DOTALL)[0]
        shown = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)[0]
        assert render_text(check(text, filename="hello.yaml").diagnostics, text) == shown


class TestPublishedSchema:
    def test_is_made_from_the_tables(self) -> None:
        published = PACKAGE / "src" / "waterflow_dsl" / "schema" / "workflow-v1.json"
        assert msgspec.json.decode(published.read_bytes()) == workflow_schema()
