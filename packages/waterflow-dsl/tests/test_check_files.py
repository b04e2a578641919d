"""``check_files``: a workflow and those that it calls, judged together."""

from waterflow_dsl import check_files, named_workflows

JOB = "jobs: {a: {steps: [{run: x}]}}\n"
CALLED = "on: call\n" + JOB


def _messages(text: str, files: dict[str, str], filename: str = "workflow.yaml") -> list[str]:
    found = check_files(text, filename=filename, files=files).diagnostics
    return [f"{each.file}:{each.line} {each.code} {each.message}" for each in found]


def _chain(length: int) -> dict[str, str]:
    """Files ``1.yaml`` to ``<length>.yaml``, each of which calls the next."""
    files = {f"{n}.yaml": f"on: call\njobs: {{a: {{uses: ./{n + 1}.yaml}}}}" for n in range(1, length)}
    return {**files, f"{length}.yaml": CALLED}


class TestPlans:
    def test_there_is_one_for_each_file(self) -> None:
        found = check_files("jobs: {a: {uses: ./lib/b.yaml}}", files={"./lib/b.yaml": CALLED})
        assert found.plan is not None
        assert list(found.called) == ["lib/b.yaml"]

    def test_there_is_none_when_any_file_has_an_error(self) -> None:
        found = check_files("jobs: {a: {uses: ./b.yaml}}", files={"b.yaml": "on: call\njobs: {a: {}}"})
        assert (found.ok, found.plan, found.called) == (False, None, {})


class TestPaths:
    """A path is seen from the file that names it."""

    def test_of_a_nested_call(self) -> None:
        nested = "on: call\njobs: {a: {uses: ./more/c.yaml}}"
        assert check_files(
            "jobs: {a: {uses: ./lib/b.yaml}}", files={"lib/b.yaml": nested, "lib/more/c.yaml": CALLED}
        ).ok

    def test_that_leads_upwards(self) -> None:
        assert check_files("jobs: {a: {uses: ../b.yaml}}", filename="x/w.yaml", files={"../b.yaml": CALLED}).ok

    def test_of_a_file_in_messages_are_those_that_people_find(self) -> None:
        files = {"lib/b.yaml": "on: call\njobs: {a: {uses: ./c.yaml}}"}
        assert _messages("jobs: {a: {uses: ./lib/b.yaml}}", files, "examples/w.yaml") == [
            "examples/lib/b.yaml:2 WF1906 the workflow `./c.yaml` is not among the files that were sent along"
        ]


class TestMissing:
    def test_a_file(self) -> None:
        assert _messages("jobs: {a: {uses: ./b.yaml}}", {}) == [
            "workflow.yaml:1 WF1906 the workflow `./b.yaml` is not among the files that were sent along"
        ]

    def test_a_stored_workflow(self) -> None:
        assert _messages("jobs: {a: {uses: release}}", {}) == [
            "workflow.yaml:1 WF1906 there is no stored workflow `release`"
        ]

    def test_what_a_step_starts(self) -> None:
        text = "jobs: {a: {steps: [{uses: workflow/run, with: {workflow: ./b.yaml}}]}}"
        assert _messages(text, {}) == [
            "workflow.yaml:1 WF1906 the workflow `./b.yaml` is not among the files that were sent along"
        ]
        assert check_files(text, files={"b.yaml": JOB}).ok


class TestStoredWorkflows:
    def test_are_called_by_name(self) -> None:
        assert check_files("jobs: {a: {uses: release}}", files={"@release/workflow.yaml": CALLED}).ok

    def test_never_call_files_of_the_submitter(self) -> None:
        stored = "on: call\njobs: {a: {uses: ../b.yaml}}"
        files = {"@release/workflow.yaml": stored, "b.yaml": CALLED}
        found = check_files("jobs: {a: {uses: release}}", files=files)
        assert named_workflows(found.result.model, "w.yaml") == ["@release/workflow.yaml"]
        assert [call.workflow for job in found.called["@release/workflow.yaml"].jobs if (call := job.call)] == [
            "../b.yaml"
        ]  # which names nothing there: `called_key` gives None, and the server refuses it


class TestLevels:
    """Ten, as on GitHub: the workflow itself and nine below it."""

    def test_ten_are_allowed(self) -> None:
        assert check_files("jobs: {a: {uses: ./1.yaml}}", files=_chain(9)).ok

    def test_eleven_are_not(self) -> None:
        trail = " → ".join(["workflow.yaml", *(f"{n}.yaml" for n in range(1, 11))])
        assert _messages("jobs: {a: {uses: ./1.yaml}}", _chain(10)) == [
            f"workflow.yaml:1 WF1907 11 levels of calls: {trail}; at most 10"
        ]

    def test_every_call_of_every_file_fifty_times_is_quick(self) -> None:
        def jobs(called: int) -> str:
            return "".join(f"  j{i}: {{uses: ./{called}.yaml}}\n" for i in range(50))

        files = {f"{n}.yaml": f"on: call\njobs:\n{jobs(n + 1)}" for n in range(1, 9)} | {"9.yaml": CALLED}
        assert check_files(f"jobs:\n{jobs(1)}", files=files).ok


class TestCircles:
    def test_are_errors_of_every_file_in_them(self) -> None:
        files = {"b.yaml": "on: call\njobs: {a: {uses: ./c.yaml}}", "c.yaml": "on: call\njobs: {a: {uses: ./b.yaml}}"}
        assert _messages("jobs: {a: {uses: ./b.yaml}}", files) == [
            "workflow.yaml:1 WF1905 these workflows call each other: b.yaml → c.yaml → b.yaml",
            "b.yaml:2 WF1905 these workflows call each other: c.yaml → b.yaml → c.yaml",
            "c.yaml:2 WF1905 these workflows call each other: b.yaml → c.yaml → b.yaml",
        ]
