"""The conformance cases of whole files: conformance/files/*.yaml."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from waterflow_dsl import Catalog, Diagnostic, NodeSignature, check, decode_plan, encode_plan

CASES = Path(__file__).parents[3] / "conformance" / "files"
TOPICS = (
    *("source", "structure", "expressions", "graph", "matrix", "blocks", "triggers"),
    *("nodes", "placement", "calls", "forms", "policies", "secrets", "github"),
    *sorted(path.stem for path in CASES.glob("github-*.yaml")),
)
WITH_CATALOG = ("nodes", "placement")


def _cases(*topics: str) -> list[Any]:
    return [
        pytest.param(topic, case, id=f"{topic}: {case['name']}")
        for topic in topics
        for case in yaml.safe_load((CASES / f"{topic}.yaml").read_text("utf-8"))
    ]


def _plans() -> list[Any]:
    return [pytest.param(each.values[1], id=each.id) for each in _cases("plans")]


def _catalog() -> Catalog:
    given = json.loads((CASES / "catalog.json").read_text("utf-8"))
    nodes = [NodeSignature.from_manifest(manifest) for manifest in given["nodes"]]
    return Catalog(
        nodes={node.name: node for node in nodes},
        groups=frozenset(given["groups"]),
        agents=frozenset(given["agents"]),
        capabilities={group: frozenset(names) for group, names in given["capabilities"].items()},
    )


def _shown(diagnostic: Diagnostic) -> str:
    d = diagnostic
    hint = f" ({d.hint})" if d.hint else ""
    return f"{d.line}:{d.column} {d.code} {d.severity}: {d.message}{hint}"


class TestDiagnostics:
    @pytest.mark.parametrize(("topic", "case"), _cases(*TOPICS))
    def test_every_one_with_its_place(self, topic: str, case: dict[str, Any]) -> None:
        result = check(
            case["file"],
            filename="workflow.yaml",
            dialect="github" if topic.startswith("github") else "waterflow",
            catalog=_catalog() if topic in WITH_CATALOG else None,
            files=case.get("files"),
        )
        assert [_shown(each) for each in result.diagnostics] == case["diagnostics"]
        assert result.ok == (not any(" error: " in each for each in case["diagnostics"]))


class TestPlans:
    @pytest.mark.parametrize("case", _plans())
    def test_parts(self, case: dict[str, Any]) -> None:
        result = check(case["file"])
        assert result.plan is not None, [_shown(each) for each in result.diagnostics]
        document = msgspec.json.decode(encode_plan(result.plan))
        assert {path: _at(document, path) for path in case["plan"]} == case["plan"]

    @pytest.mark.parametrize("case", _plans())
    def test_encoding_is_canonical(self, case: dict[str, Any]) -> None:
        plan = check(case["file"]).plan
        assert plan is not None
        again = decode_plan(encode_plan(plan))
        assert again == plan
        assert again.hash == plan.hash


def _at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document[int(key)] if isinstance(document, list) else document.get(key)
    return document
