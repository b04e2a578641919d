"""Workflow code asks nothing whose answer may differ at a replay; histories alone cannot show what never ran."""

from pathlib import Path

import pytest
from replay._lint import check, findings

import waterflow_server

SERVER = Path(waterflow_server.__file__).parent

NOT_WORKFLOW_CODE = frozenset(
    {
        "activities.py",
        "registry.py",
        "_activities.py",
        "_choice.py",
        "_client.py",
        "_learning.py",
        "_listing.py",
        "_manifests.py",
        "_store.py",
        "_unused.py",
    }
)
"""Of ``presence``, ``documents`` and ``concurrency``: these run in activities and in the API."""

WORKFLOW_CODE = [
    SERVER / "schedules" / "_wire.py",
    SERVER / "schedules" / "_workflow.py",
    *sorted((SERVER / "engine").rglob("*.py")),
    *sorted(path for path in (SERVER / "concurrency").glob("*.py") if path.name not in NOT_WORKFLOW_CODE),
    *sorted((SERVER / "inquiry").glob("*.py")),
    *sorted(path for path in (SERVER / "documents").glob("*.py") if path.name not in NOT_WORKFLOW_CODE),
    *sorted(path for path in (SERVER / "presence").glob("*.py") if path.name not in NOT_WORKFLOW_CODE),
]


class TestWorkflowCode:
    @pytest.mark.parametrize(
        "path", [pytest.param(path, id=f"{path.parent.name}/{path.name}") for path in WORKFLOW_CODE]
    )
    def test_is_deterministic(self, path: Path):
        assert findings(path) == []

    def test_is_where_it_is_looked_for(self):
        names = {f"{path.parent.name}/{path.name}" for path in WORKFLOW_CODE}
        assert names >= {
            "concurrency/_coordinator.py",
            "run/workflow.py",
            "job/workflow.py",
            "presence/_agent_workflow.py",
            "documents/_workflow.py",
        }


class TestTheCheck:
    """It finds what it is for."""

    @pytest.mark.parametrize(
        ("source", "what"),
        [
            ("import time", "imports time"),
            ("import os.path", "imports os.path"),
            ("from random import choice", "imports random"),
            ("import uuid", "imports uuid"),
            ("import secrets", "imports secrets"),
            ("datetime.now()", "calls datetime.now()"),
            ("datetime.datetime.now(UTC)", "calls datetime.datetime.now()"),
            ("id(self)", "calls id()"),
            ("for each in set(names): pass", "takes the order of a set: set(names)"),
            ("[each for each in {1, 2}]", "takes the order of a set: {1, 2}"),
            ("list(frozenset(names))", "takes the order of a set: frozenset(names)"),
            ("', '.join({name for name in names})", "takes the order of a set: {name for name in names}"),
            ("for each in set(a) - b: pass", "takes the order of a set: set(a) - b"),
        ],
    )
    def test_finds(self, source: str, what: str):
        assert check(source) == [(1, what)]

    @pytest.mark.parametrize(
        "source",
        [
            "workflow.now()",
            "workflow.random().choice(found)",
            "for each in sorted(set(names)): pass",
            "len({1, 2})",
            "from .random import choice",
            "if TYPE_CHECKING:\n    import time",
        ],
    )
    def test_lets_pass(self, source: str):
        assert check(source) == []
