"""``waterflow schema``: the schema of workflow files, alone or with the server's nodes."""

from __future__ import annotations

import json
from typing import Any

from waterflow_cli import ExitCode
from waterflow_dsl import workflow_schema
from waterflow_sdk.wire import NodeEntry, NodeManifest

EXEC = NodeManifest(
    name="docker/exec",
    version="1.2.0",
    inputs={"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)


class TestWithoutNodes:
    def test_it_is_that_of_the_language_and_needs_no_server(self, waterflow: Any) -> None:
        result = waterflow("schema", "--server", "127.0.0.1:9")
        assert (result.code, result.err) == (0, "")
        assert json.loads(result.out) == workflow_schema()


class TestWithNodes:
    def test_it_knows_those_of_the_server(self, waterflow: Any, server: Any) -> None:
        server.on("GET /v1/nodes", [NodeEntry(manifest=EXEC, agents=["a1"])])
        result = waterflow("schema", "--nodes", "--server", server.url)
        assert (result.code, result.err) == (0, "")
        step = json.loads(result.out)["$defs"]["step"]
        assert step != workflow_schema()["$defs"]["step"]
        assert "docker/exec" in json.dumps(step["properties"]["uses"])

    def test_without_a_server_nothing_is_printed(self, waterflow: Any) -> None:
        result = waterflow("schema", "--nodes", "--server", "127.0.0.1:9")
        assert (result.code, result.out) == (ExitCode.UNAVAILABLE, "")
        assert result.err.startswith("error: no answer from the server at http://127.0.0.1:9: ")
