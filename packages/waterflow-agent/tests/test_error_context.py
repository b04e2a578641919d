"""What an error carries beside its message: masked always, and never much."""

from __future__ import annotations

from typing import Any

import msgspec

from waterflow_agent._error_context import MAX_INPUTS, with_context
from waterflow_sdk.node import StepContext
from waterflow_sdk.wire import AgentRef, AttemptKey, ErrorInfo, NodeTask, RunInfo

ERROR = ErrorInfo(code="process-failed", message="no", details={"exit_code": 3})
PLACE = {"host": "web-01", "step": "deploy[web-01]/steps[0]", "node": "shell", "exit_code": 3}


def task(**inputs: Any) -> NodeTask:
    return NodeTask(
        key=AttemptKey(run="r1", job="deploy[web-01]", step="steps[0]", attempt=1),
        node="shell",
        agent=AgentRef(id="a1", name="web-01"),
        run=RunInfo(id="r1", name="n"),
        inputs=inputs,
        secrets={"TOKEN": "hunter22"},
    )


def context(given: NodeTask, tmp_path: Any) -> StepContext:
    return StepContext(task=given, workspace=tmp_path, make_temp=lambda: tmp_path, sink=lambda _: None, base_env={})


def test_where_with_what_and_the_last_lines(tmp_path: Any) -> None:
    given = task(run="./deploy --token hunter22", count=2)
    ctx = context(given, tmp_path)
    ctx.stdout.write("uploading with hunter22\n")
    assert with_context(ERROR, given, "web-01", ctx).details == {
        **PLACE,
        "inputs": {"run": "./deploy --token ***", "count": 2},
        "tail": ["uploading with ***"],
    }


def test_without_a_context_there_is_where(tmp_path: Any) -> None:
    del tmp_path
    assert with_context(ERROR, task(run="x"), "web-01").details == PLACE


def test_inputs_that_could_not_be_read_are_not_told(tmp_path: Any) -> None:
    error = ErrorInfo(code="invalid-input", message="no", details={"input": "token"})
    given = task(token="a literal that should have been a secret")
    assert "inputs" not in with_context(error, given, "web-01", context(given, tmp_path)).details


def test_long_ones_are_cut_and_the_longest_left_out(tmp_path: Any) -> None:
    given = task(run="x" * 10_000, body=["y" * 400] * 40, small=1)
    inputs = with_context(ERROR, given, "web-01", context(given, tmp_path)).details["inputs"]
    assert inputs == {"run": "x" * 500 + "…", "body": "…", "small": 1}
    assert len(msgspec.json.encode(inputs)) <= MAX_INPUTS


def test_so_many_that_none_fit(tmp_path: Any) -> None:
    given = task(**{f"input-{number}": "x" for number in range(1000)})
    assert "inputs" not in with_context(ERROR, given, "web-01", context(given, tmp_path)).details


def test_a_long_line_of_output_is_cut(tmp_path: Any) -> None:
    given = task()
    ctx = context(given, tmp_path)
    ctx.stdout.write("z" * 2000 + "\n")
    assert with_context(ERROR, given, "web-01", ctx).details["tail"] == ["z" * 500 + "…"]
