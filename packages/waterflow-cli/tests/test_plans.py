"""plan, dry-run and edit: what they ask, what they show, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from waterflow_sdk.wire import (
    AgentRef,
    AgentStatus,
    EditedJob,
    EditReport,
    EditRequest,
    EditResponse,
    PlannedApproval,
    PlannedConcurrency,
    PlannedCondition,
    PlannedHost,
    PlannedInstance,
    PlannedJob,
    PlannedSecret,
    PlannedStep,
    PlanRequest,
    PlanView,
    RunState,
    State,
)

HELLO = "name: hello\njobs:\n  greet:\n    steps:\n      - {id: say, name: Say hello, run: echo hello}\n"
WEB = AgentRef(id="1", name="web-01")
YES = PlannedCondition(expression="success()", decision="true", expected=True)
STEPS = [
    PlannedStep(path="steps[0]", name="Build", node="shell", inputs={"run": "make ***\none\ntwo\nthree"}),
    PlannedStep(
        path="steps[1]",
        name="call",
        node="http/request",
        condition=PlannedCondition(expression="x", decision="unknown", why="the step `say`"),
        problems=["`timeout`: 'soon' is not a duration"],
    ),
]
VIEW = PlanView(
    name="hello",
    title="Hello prod",
    jobs=[
        PlannedJob(
            id="build",
            name="build",
            condition=YES,
            all=True,
            hosts=[
                PlannedHost(agent=WEB, status=AgentStatus.ONLINE),
                PlannedHost(agent=AgentRef(id="2", name="web-02"), status=AgentStatus.OFFLINE),
            ],
            instances=[PlannedInstance(name="build[web-01]", agent=WEB, steps=STEPS)],
            instance_count=2,
            steps=2,
            batches=[["web-01"], ["web-02"]],
        ),
        PlannedJob(
            id="undo",
            name="undo",
            condition=PlannedCondition(
                expression="failure()", decision="unknown", expected=False, why="whether `build` fails"
            ),
            target="the group `web`",
            unknown="depends on the outputs of `build`",
            steps=1,
        ),
    ],
    secrets=[PlannedSecret(name="TOKEN", required=True, jobs=["build"])],
    concurrency=PlannedConcurrency(group="prod"),
    approvals=[PlannedApproval(job="build", step="steps[1]", message="Go?", approvers=["ops"])],
    critical_path=["build"],
    instances=2,
    steps=4,
    at_least=True,
)
SHOWN = """\
Hello prod
2 job instances, 4 steps or more
longest path: build
concurrency group: prod (queue)

JOB    RUNS                                       WHERE                             INSTANCES                                     STEPS
build  yes                                        each of web-01, web-02 (offline)  2: web-01                                     2
undo   no, but depends on whether `build` fails   the group `web`: nobody           not known: depends on the outputs of `build`  1
batch 1 of build: web-01
batch 2 of build: web-02
approval by ops at build/steps[1]: Go?
secret TOKEN (required, not given): read by build
"""  # noqa: E501 - as it is written where there is no terminal


@pytest.fixture
def file(tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A workflow file, and a server that plans it."""
    monkeypatch.setenv("WATERFLOW_SERVER", server.url)
    server.on("POST /v1/plan", VIEW)
    path = tmp_path / "hello.yaml"
    path.write_text(HELLO)
    return str(path)


def words(text: str) -> list[list[str]]:
    """Lines without the width of their columns."""
    return [line.split() for line in text.splitlines()]


class TestPlan:
    def test_a_table_of_jobs_and_all_else(self, waterflow: Any, file: str) -> None:
        result = waterflow("plan", file)
        assert (result.code, result.err) == (0, "")
        assert words(result.out) == words(SHOWN)

    def test_sends_the_file_and_what_its_run_gets(self, waterflow: Any, server: Any, file: str) -> None:
        waterflow("plan", file, "--input", "a=1", "--against", "r1")
        asked = server.body("POST /v1/plan", PlanRequest)
        assert (asked.yaml, asked.filename, asked.inputs) == (HELLO, file, {"a": "1"})
        assert (asked.against, asked.dry_run) == ("r1", False)

    def test_as_json(self, waterflow: Any, file: str) -> None:
        assert json.loads(waterflow("plan", file, "-o", "json").out)["critical_path"] == ["build"]

    def test_what_a_submit_would_refuse(self, waterflow: Any, server: Any, file: str) -> None:
        server.on(
            "POST /v1/plan",
            PlanView(name="hello", valid=False, problems=[{"message": "secret 'TOKEN' is required"}]),
        )
        result = waterflow("plan", file)
        assert (result.code, result.err) == (2, "error: secret 'TOKEN' is required\n")

    def test_of_a_run(self, waterflow: Any, server: Any, file: str) -> None:
        del file
        server.on("GET /v1/workflows/r1/plan", VIEW)
        assert words(waterflow("plan", "--run", "r1").out) == words(SHOWN)

    @pytest.mark.parametrize(
        ("argv", "said"),
        [
            ((), "error: give a FILE, or a run with --run\n"),
            (("x.yaml", "--run", "r1"), "error: give a FILE, or a run with --run\n"),
            (
                ("--run", "r1", "--against", "r2"),
                "error: --run and --against exclude each other: --against compares a FILE with a run\n",
            ),
        ],
    )
    def test_of_nothing_or_of_two_things(self, waterflow: Any, argv: tuple[str, ...], said: str) -> None:
        result = waterflow("plan", *argv)
        assert (result.code, result.err) == (2, said)


class TestDryRun:
    def test_the_steps_of_every_instance(self, waterflow: Any, server: Any, file: str) -> None:
        result = waterflow("dry-run", file)
        assert result.out.partition("read by build\n")[2] == (
            "\n"
            "build[web-01] on web-01\n"
            "  steps[0]  Build (shell)\n"
            "      run: make ***\n"
            "           one\n"
            "           two\n"
            "           … 1 more lines\n"
            "  steps[1]  call (http/request)\n"
            "      runs: depends on the step `say`\n"
            "      refused: `timeout`: 'soon' is not a duration\n"
            "\n"
            "undo  does not run\n"
        )
        assert server.body("POST /v1/plan", PlanRequest).dry_run
        assert result.code == 2

    def test_whose_a_step_is_and_how_much_memory_it_may_have(self, waterflow: Any, server: Any, file: str) -> None:
        step = PlannedStep(path="steps[0]", name="make", node="shell", run_as="deploy", memory=1536 * 1024**2)
        condition = PlannedCondition(expression="true", decision="true", expected=True)
        job = PlannedJob(
            id="a", name="a", condition=condition, instances=[PlannedInstance(name="a", steps=[step])], steps=1
        )
        server.on("POST /v1/plan", PlanView(name="hello", jobs=[job]))
        assert "  steps[0]  make (shell)  as deploy  at most 1536 MiB\n" in waterflow("dry-run", file).out


REPORT = EditReport(
    run="r1",
    changes=["vars.app changed"],
    jobs=[
        EditedJob(job="build", instance="build", action="keep"),
        EditedJob(
            job="deploy", instance="deploy[eu]", action="resume", why="it failed", kept=["steps[0]"], first="steps[1]"
        ),
    ],
)
EDIT = "POST /v1/workflows/r1/edit"


class TestEdit:
    def test_a_dry_run_shows_the_report(self, waterflow: Any, server: Any, file: str) -> None:
        server.on(EDIT, EditResponse(report=REPORT))
        result = waterflow("edit", "r1", "-f", file, "--dry-run")
        assert (result.code, result.err) == (0, "")
        assert words(result.out) == words(
            "vars.app changed\nJOB KEPT STEPS WHY\nbuild kept all\ndeploy[eu] goes on 1 from steps[1]: it failed\n"
        )
        asked = server.body(EDIT, EditRequest)
        assert (asked.yaml, asked.filename, asked.dry_run) == (HELLO, file, True)

    def test_goes_on_and_follows_the_new_run(self, waterflow: Any, server: Any, file: str) -> None:
        server.on(EDIT, EditResponse(report=REPORT, id="r2", url="/v1/workflows/r2"))
        server.on("GET /v1/workflows/r2", RunState(id="r2", name="hello", state=State.SUCCESS))
        result = waterflow("edit", "r1", "-f", file, "--yes", "--detach")
        assert (result.code, result.out) == (0, "r2\n")

    def test_nobody_to_ask(self, waterflow: Any, server: Any, file: str) -> None:
        result = waterflow("edit", "r1", "-f", file)
        assert (result.code, result.err) == (
            2,
            "error: nobody is there to ask\nhint: say --yes to go on, or --dry-run to see what would be kept\n",
        )
        assert server.requests == []

    def test_a_run_that_has_succeeded(self, waterflow: Any, server: Any, file: str) -> None:
        server.on(EDIT, (409, "nothing-to-edit", "run r1 has succeeded: submit the changed file as a run of its own"))
        result = waterflow("edit", "r1", "-f", file, "--yes")
        assert (result.code, result.err) == (
            8,
            "error: run r1 has succeeded: submit the changed file as a run of its own\n"
            "hint: `waterflow run FILE` starts it\n",
        )
