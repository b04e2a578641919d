"""Nodes in any language: a manifest and an executable."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from waterflow_sdk.testing import run_node_async

from .conftest import Plugins

MANIFEST: dict[str, Any] = {
    "name": "demo/shell",
    "version": "1.0.0",
    "description": "Something in shell.",
    "command": ["./run"],
    "inputs": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"text": {"type": "string"}, "token": {"type": "string", "format": "password"}},
    },
    "outputs": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"word": {"type": "string"}, "size": {"type": "integer"}},
    },
}

BAD: list[tuple[str, str, str]] = [
    ("node.yaml", "name: [", "it is not valid YAML: while parsing a flow node"),
    ("node.yaml", "- a", "it is no valid manifest: Expected `object`, got `array`"),
    ("node.yaml", "name: a/b", "it is no valid manifest: Object missing required field `version`"),
    ("node.json", "{", "it is not valid JSON: Input data was truncated"),
    (
        "node.json",
        json.dumps(MANIFEST | {"comand": []}),
        "it is no valid manifest: Object contains unknown field `comand`",
    ),
    (
        "node.json",
        json.dumps(MANIFEST | {"command": "./run"}),
        "it is no valid manifest: Expected `array`, got `str` - at `$.command`",
    ),
    ("node.json", json.dumps(MANIFEST | {"command": []}), "command must name a program, such as [./run]"),
    (
        "node.json",
        json.dumps(MANIFEST | {"command": ["sh", "./other"]}),
        "its command names ./other, which is no file beside it",
    ),
    (
        "node.json",
        json.dumps(MANIFEST | {"command": ["./plain"]}),
        "its command ./plain cannot be executed: make it executable (chmod +x)",
    ),
    (
        "node.json",
        json.dumps(MANIFEST | {"interface": "2.0"}),
        "demo/shell: it was made for node interface 2.0, this waterflow-sdk has 1.0; "
        "install a version of its package that supports interface 1",
    ),
    (
        "node.json",
        json.dumps(MANIFEST | {"inputs": {"type": "array"}}),
        "demo/shell: its schemas must be of type object",
    ),
]


def shell(plugins: Plugins, script: str, **changes: Any) -> Plugins:
    """A node in shell."""
    plugins.write("demo/run", f"#!/bin/sh\n{script}\n", executable=True)
    plugins.write("demo/node.json", json.dumps(MANIFEST | changes))
    plugins.refresh()
    assert plugins.reasons == []
    return plugins


class TestAnswer:
    def test_outputs_are_the_last_line_and_the_rest_is_the_log(self, plugins: Plugins) -> None:
        shell(plugins, """echo one; echo two >&2; echo '{"a": 1}'; echo '{"outputs": {"word": "hello"}}'; echo""")
        result = plugins.run("demo/shell")
        assert result.outputs == {"word": "hello"}
        assert (result.stdout, result.stderr) == ('one\n{"a": 1}', "two")

    def test_an_error(self, plugins: Plugins) -> None:
        failure = {"code": "full", "message": "it is full", "retryable": True, "details": {"used": 99}}
        shell(plugins, f"echo '{json.dumps({'error': failure})}'; exit 3")
        result = plugins.run("demo/shell")
        assert result.error is not None
        assert (result.error.code, result.error.message, result.error.retryable) == ("full", "it is full", True)
        assert result.error.details == {"used": 99, "exit_code": 3}

    def test_none_and_exit_code_0_is_a_success_without_outputs(self, plugins: Plugins) -> None:
        result = shell(plugins, "echo done").run("demo/shell")
        assert (result.ok, result.outputs, result.stdout) == (True, {}, "done")

    def test_none_and_another_exit_code(self, plugins: Plugins) -> None:
        error = shell(plugins, "echo oops; exit 4").run("demo/shell").error
        assert error is not None
        assert (error.code, error.message) == (
            "process-failed",
            "demo/shell ended with exit code 4 and gave no error",
        )
        assert error.details == {"exit_code": 4, "tail": ["oops"]}

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ('{"outputs": {', "Input data was truncated"),
            ('{"output": {}}', "Object contains unknown field `output`"),
            ('{"error": {"code": "x"}}', "Object missing required field `message` - at `$.error`"),
        ],
    )
    def test_one_that_is_none(self, plugins: Plugins, line: str, why: str) -> None:
        error = shell(plugins, f"echo '{line}'").run("demo/shell").error
        assert error is not None
        assert error.code == "invalid-output"
        assert error.message == (
            f"the last line that demo/shell printed is no answer: {why}; "
            'it must be {"outputs": {…}} or {"error": {"message": …}} on one line'
        )

    def test_an_output_that_is_not_declared(self, plugins: Plugins) -> None:
        error = shell(plugins, """echo '{"outputs": {"other": 1}}'""").run("demo/shell").error
        assert error is not None
        assert error.message == "demo/shell gave the output 'other', which it does not declare"

    def test_a_long_one(self, plugins: Plugins) -> None:
        word = "x" * 60_000
        shell(plugins, f"""printf 'é%.0s' $(seq 70000); echo; echo '{{"outputs": {{"word": "{word}"}}}}'""")
        result = plugins.run("demo/shell")
        assert result.outputs == {"word": word}
        assert result.stdout == "é" * 70_000


class TestQuestion:
    def test_is_json_on_standard_input(self, plugins: Plugins, tmp_path: Path) -> None:
        shell(plugins, "cat > question; pwd")
        workspace = tmp_path / "w"
        workspace.mkdir()
        result = plugins.run(
            "demo/shell", {"text": "a'b\n$(id)"}, workspace=workspace, env={"STAGE": "test"}, attempt=2
        )
        question = json.loads((workspace / "question").read_text())
        assert sorted(question) == ["agent", "attempt", "env", "inputs", "run", "temp", "workspace"]
        assert question["inputs"] == {"text": "a'b\n$(id)"}
        assert question["workspace"] == result.stdout == str(workspace)
        assert question["env"]["STAGE"] == "test"
        assert (question["attempt"], question["run"]) == (2, {"id": "test-run", "name": "test"})

    def test_a_program_that_does_not_read_it(self, plugins: Plugins) -> None:
        assert shell(plugins, "exit 0").run("demo/shell", {"text": "x" * 1_000_000}).ok

    def test_secret_inputs_are_masked(self, plugins: Plugins) -> None:
        shell(plugins, "cat; echo")
        found = plugins.registry.get("demo/shell")
        assert found is not None
        assert found.manifest.secret_inputs == ["token"]
        result = plugins.run("demo/shell", {"token": "s3cret-value"})
        assert not result.ok  # the question is no answer
        assert '"token":"***"' in result.stdout
        assert "s3cret-value" not in repr((result.records, result.outputs, result.error))

    def test_an_input_that_it_does_not_have(self, plugins: Plugins) -> None:
        error = shell(plugins, "true").run("demo/shell", {"txet": "x"}).error
        assert error is not None
        assert error.message == "demo/shell has no input 'txet'; did you mean 'text'?"


class TestCancel:
    async def test_ends_the_process(self, plugins: Plugins, tmp_path: Path) -> None:
        plugins.write(
            "demo/run",
            "#!/bin/sh\ntrap 'echo ended > ended; exit 1' TERM\necho begun >&2\nsleep 60 &\nwait\n",
            executable=True,
        )
        plugins.write("demo/node.json", json.dumps(MANIFEST))
        await plugins.discovery.refresh()
        found = plugins.registry.get("demo/shell")
        assert found is not None
        begun = asyncio.Event()
        step = asyncio.create_task(run_node_async(found.node, workspace=tmp_path, on_record=lambda _: begun.set()))
        await begun.wait()
        step.cancel()
        await asyncio.wait([step])
        assert step.cancelled()
        assert (tmp_path / "ended").read_text() == "ended\n"


class TestFile:
    @pytest.mark.parametrize("path", ["demo/node.yaml", "custom/demo/node.yml", "demo.node.yaml"])
    def test_in_yaml(self, plugins: Plugins, path: str) -> None:
        plugins.write(path, "name: demo/date\nversion: 1.0.0\ndescription: The date.\ncommand: [date, --utc]\n")
        plugins.refresh()
        assert plugins.run("demo/date").ok

    @pytest.mark.parametrize(("path", "text", "reason"), BAD, ids=[reason[:40] for _, _, reason in BAD])
    def test_a_bad_one_says_what_to_put_right(self, plugins: Plugins, path: str, text: str, reason: str) -> None:
        plugins.write("demo/run", "#!/bin/sh\n", executable=True)
        plugins.write("demo/plain", "")
        plugins.write(f"demo/{path}", text)
        plugins.refresh()
        ((source, found),) = plugins.reasons
        assert source == f"demo/{path}"
        assert found.partition(": ")[2].startswith(reason)

    def test_made_executable_later(self, plugins: Plugins) -> None:
        run = plugins.write("demo/run", "#!/bin/sh\n")
        plugins.write("demo/node.json", json.dumps(MANIFEST))
        plugins.refresh()
        run.chmod(0o755)
        assert plugins.refresh()
        assert plugins.run("demo/shell").ok
