"""Action manifests."""

import pytest

from waterflow_dsl import check_action
from waterflow_dsl.plan import StepPlan, UsesKind

HEAD = "name: x\ndescription: y\n"


def _found(text: str) -> list[str]:
    return [f"{each.line}:{each.column} {each.code} {each.message}" for each in check_action(text).diagnostics]


class TestJavaScript:
    @pytest.mark.parametrize("using", ["node12", "node16", "node20", "node24"])
    def test_versions(self, using: str) -> None:
        text = HEAD + f"runs: {{using: {using}, main: a.js, pre: b.js, post: c.js, post-if: success()}}\n"
        result = check_action(text)
        assert result.ok
        assert result.model is not None
        assert result.model.runs is not None
        assert (result.model.runs.main, result.model.runs.post_if) == ("a.js", "success()")

    def test_without_main(self) -> None:
        assert _found(HEAD + "runs: {using: node20}") == ["3:8 WF1802 an action with `using: node20` needs `main`"]


class TestComposite:
    TEXT = (
        "name: x\ndescription: y\ninputs: {who: {default: world}}\noutputs: {o: {value: '${{ steps.s.outputs.o }}'}}\n"
        "runs:\n  using: composite\n  steps:\n"
        "    - {id: s, run: 'echo ${{ inputs.who }}', shell: bash, if: always()}\n"
        "    - uses: actions/checkout@v4\n"
    )

    def test_steps_are_compiled(self) -> None:
        first, second = check_action(self.TEXT).steps
        assert isinstance(first, StepPlan)
        assert isinstance(second, StepPlan)
        assert (first.path, first.condition) == ("steps[0]", "always()")
        assert first.inputs == {"run": "echo ${{ inputs.who }}", "shell": "bash"}
        assert (second.uses.kind, second.uses.name, second.uses.ref) == (UsesKind.ACTION, "actions/checkout", "v4")

    def test_a_script_names_its_shell(self) -> None:
        found = _found(HEAD + "runs:\n  using: composite\n  steps:\n    - run: x\n")
        assert found == ["6:7 WF1802 a composite step with `run` needs `shell`"]

    def test_secrets_do_not_exist(self) -> None:
        found = _found(HEAD + "runs:\n  using: composite\n  steps:\n    - {run: '${{ secrets.x }}', shell: sh}\n")
        message = "Unrecognized named-value: 'secrets'. Located at position 1 within expression: secrets.x"
        assert found == [f"6:18 WF1204 {message}"]


class TestDocker:
    def test_keys(self) -> None:
        text = (
            HEAD + "runs: {using: docker, image: Dockerfile, args: ['${{ inputs.a }}'], env: {A: b}, entrypoint: /x}\n"
        )
        assert check_action(text).ok

    def test_main_is_not_one_of_them(self) -> None:
        found = _found(HEAD + "runs: {using: docker, image: x, main: y}")
        assert found == ["3:33 WF1802 an action with `using: docker` has no `main`"]


class TestMistakes:
    def test_an_unknown_kind(self) -> None:
        assert _found(HEAD + "runs: {using: node99}") == ["3:15 WF1801 `node99` is no kind of action"]

    def test_not_a_mapping(self) -> None:
        assert _found("hello") == ["1:1 WF1101 an action is a mapping, not text"]

    def test_without_runs(self) -> None:
        assert _found(HEAD) == ["1:1 WF1103 `runs` is missing in an action manifest"]

    def test_without_name_and_description(self) -> None:
        assert _found("runs: {using: node20, main: a.js}") == [
            "1:1 WF1103 `name` is missing in an action manifest",
            "1:1 WF1103 `description` is missing in an action manifest",
        ]
