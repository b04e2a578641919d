"""``check`` as a function: what it gives, what it keeps, what it takes into account."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from waterflow_dsl import Catalog, NodeSignature, check, parse_duration, suggest, target_of
from waterflow_dsl.plan import TargetPlan

JOB = "jobs: {a: {steps: [{run: x}]}}\n"
USES = "jobs: {a: {steps: [{uses: disk/check}]}}\n"
DISK = NodeSignature(name="disk/check", version="1.0.0")


class TestResult:
    def test_without_errors_has_a_plan(self) -> None:
        result = check(JOB, filename="dir/deploy.yaml")
        assert result.ok
        assert result.plan is not None
        assert (result.plan.name, result.plan.source) == ("deploy", "dir/deploy.yaml")

    def test_with_errors_has_a_model_and_no_plan(self) -> None:
        result = check("jobs: {a: {steps: [{runn: x}]}}")
        assert not result.ok
        assert result.plan is None
        assert result.model is not None
        assert list(result.model.jobs) == ["a"]

    def test_warnings_keep_no_plan_back(self) -> None:
        result = check("on: push\n" + JOB)
        assert [each.severity for each in result.diagnostics] == ["warning"]
        assert result.ok

    def test_is_the_same_for_text_and_bytes(self) -> None:
        assert check(JOB).plan == check(JOB.encode()).plan

    def test_equal_content_is_compiled_once(self) -> None:
        assert check(JOB) is check("".join(list(JOB)))

    def test_ten_mistakes_are_ten_errors(self) -> None:
        text = (
            "nam: x\nvars: {region: eu}\ntimeout: soon\njobs:\n  a:\n    needs: [a, c]\n    run-on: web\n    steps:\n"
            "      - run: echo ${{ vars.regoin }}\n      - run: echo ${{ steps.x.outcome }}\n"
            "        retry: {max-attempts: 0}\n"
            "      - uses: sleep\n        with: {duraton: 1s}\n      - name: nothing\n"
            "  b:\n    if: a &&\n    steps: [{run: x}]\n"
        )
        lines = [each.line for each in check(text).diagnostics]
        assert lines == [1, 3, 6, 6, 7, 9, 10, 11, 13, 14, 16]


class TestCatalog:
    def test_changes_the_result(self) -> None:
        assert check(USES).ok
        assert check(USES, catalog=Catalog(nodes={"disk/check": DISK})).ok
        assert [each.message for each in check(USES, catalog=Catalog()).diagnostics] == ["unknown node `disk/check`"]

    def test_a_node_that_agents_cannot_use_is_unknown_with_the_reason(self) -> None:
        why = "web-01 cannot use it: NameError: x"
        (found,) = check(USES, catalog=Catalog(broken={"disk/check": why})).diagnostics
        assert (found.message, found.hint) == ("unknown node `disk/check`", why)

    @pytest.mark.parametrize(
        "wrong", [{"properties": ["a"]}, {"properties": {"a": 3}}, {"required": "a"}, {"anyOf": 1}]
    )
    def test_a_schema_that_is_none_decides_nothing(self, wrong: dict[str, object]) -> None:
        node = NodeSignature.from_manifest({"name": "d/e", "version": "1.0.0", "inputs": wrong, "outputs": wrong})
        assert (node.inputs, node.outputs) == ({}, {})

    def test_equal_catalogs_have_equal_digests(self) -> None:
        first, second = (Catalog(nodes={"disk/check": DISK}, groups=frozenset({"a", "b"})) for _ in range(2))
        assert first.digest == second.digest != Catalog(nodes={"disk/check": DISK}).digest

    def test_a_manifest_may_have_more_keys(self) -> None:
        manifest = {"name": "x", "version": "2.0", "distribution": "pack", "examples": [], "retry_safe": True}
        assert NodeSignature.from_manifest(manifest) == NodeSignature(name="x", version="2.0", retry_safe=True)


class TestBrokenManifests:
    """A schema that is broken, or points elsewhere, is not the user's mistake: the value is not judged."""

    @pytest.mark.parametrize(
        "schema",
        [{"type": "bogus"}, {"$ref": "#/$defs/missing"}, {"$ref": "https://example.org/x"}, {"$ref": "file:///x"}],
    )
    def test_are_not_followed(self, schema: dict[str, object]) -> None:
        inputs = {"type": "object", "properties": {"path": schema}}
        node = NodeSignature(name="disk/check", version="1.0.0", inputs=inputs)
        text = "jobs: {a: {steps: [{uses: disk/check, with: {path: 1}}]}}"
        assert check(text, catalog=Catalog(nodes={"disk/check": node})).ok


class TestWithoutTheCLoader:
    def test_trees_and_places_are_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text = "vars: {a: 'it''s'}\njobs:\n  a:\n    steps:\n      - run: |\n          x ${{ vars.b }}\n      - rn: 1\n"
        fast = check(text, filename="fast").diagnostics
        monkeypatch.setattr("waterflow_dsl._source._compose._Loader", yaml.SafeLoader)
        slow = check(text, filename="slow").diagnostics
        assert [(each.line, each.column, each.message) for each in fast] == [
            (each.line, each.column, each.message) for each in slow
        ]
        assert [each.code for each in slow] == ["WF1306", "WF1102"]


class TestVariables:
    def test_passed_at_submit_count_as_declared(self) -> None:
        text = "jobs: {a: {steps: [{run: '${{ vars.build }}'}]}}"
        assert [each.code for each in check(text).diagnostics] == ["WF1306"]
        assert check(text, variables=["build"]).ok


class TestSecrets:
    def test_reading_one_declares_it_as_required(self) -> None:
        plan = check("secrets: {A: }\njobs: {a: {steps: [{run: '${{ secrets.a }} ${{ secrets.B }}'}]}}").plan
        assert plan is not None
        assert {name: secret.required for name, secret in plan.secrets.items()} == {"A": True, "B": True}

    def test_never_come_into_the_name_of_a_step(self) -> None:
        plan = check("jobs: {a: {steps: [{run: 'login ${{ secrets.A }}'}]}}").plan
        assert plan is not None
        assert plan.jobs[0].steps[0].name == "login …"


class TestDuration:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            *[("500ms", 0.5), ("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86400), ("1h30m", 5400), ("1.5h", 5400)],
            *[(90, 90), (0.5, 0.5), ("90", 90), (" 5s ", 5), (0, 0)],
        ],
    )
    def test_units(self, value: str | float, seconds: float) -> None:
        assert parse_duration(value) == seconds

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("", "'' is not a duration"),
            ("10 m", "'10 m' is not a duration"),
            ("1w", "'1w' is not a duration"),
            ("-5s", "'-5s' is not a duration"),
            (-1, "-1 is not a duration: it must not be negative"),
            (float("nan"), "nan is not a duration: it must not be negative"),
            (True, "true is not a duration"),
            (None, "null is not a duration"),
            ([1], "a list is not a duration"),
            ({"m": 1}, "a mapping is not a duration"),
            (1e300, "1e+300 is longer than ten years"),
            (10**400, "a number of that size is longer than ten years"),
            ("٣s", "'٣s' is not a duration"),
            ("11000d", "'11000d' is longer than ten years"),
        ],
    )
    def test_mistakes(self, value: object, message: str) -> None:
        with pytest.raises(ValueError) as caught:
            parse_duration(value)
        assert str(caught.value) == message

    @given(st.integers(0, 10_000), st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]))
    def test_a_number_and_a_unit(self, number: int, unit: tuple[str, float]) -> None:
        assert parse_duration(f"{number}{unit[0]}") == pytest.approx(number * unit[1])


class TestSuggest:
    def test_the_nearest(self) -> None:
        assert suggest("dokcer/exec", ["docker/exec", "docker/run"]) == "docker/exec"

    def test_either_spelling(self) -> None:
        assert suggest("MAX_ATTEMPTS", ["max-attempts"]) == "max-attempts"

    def test_nothing_near(self) -> None:
        assert suggest("zzz", ["docker/exec"]) is None


class TestTarget:
    @pytest.mark.parametrize(
        ("value", "target"),
        [
            ("web", TargetPlan(groups=("web",))),
            (["linux", "gpu"], TargetPlan(tags=("linux", "gpu"))),
            ({"group": "web", "target": "all"}, TargetPlan(groups=("web",), all=True)),
            ({"agent": "web-01"}, TargetPlan(agent="web-01")),
            ("all-servers", TargetPlan(groups=("all-servers",), all=True)),
        ],
    )
    def test_forms(self, value: object, target: TargetPlan) -> None:
        assert target_of(value) == target

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (None, "`runs-on` gave None; it must give a group, a list of tags, or a mapping"),
            ([1], "`runs-on` gave [1]; names are texts"),
            ({"grup": "x"}, "`runs-on` gave the unknown key `grup`"),
            ({"group": "x", "target": "some"}, "`runs-on.target` gave 'some'; it must be any or all"),
            ({"agent": ""}, "`runs-on.agent` gave ''; it must name an agent"),
            ({"agent": None}, "`runs-on.agent` gave None; it must name an agent"),
            ({"agent": ["web-01"]}, "`runs-on.agent` gave ['web-01']; it must name an agent"),
            ({"group": "", "target": "all"}, "`runs-on.group` gave ''; it must name a group"),
            ({"group": [], "tags": ["ssd"]}, "`runs-on.group` gave []; it must name a group"),
            ({"tags": []}, "`runs-on` gave {'tags': []}; it names nobody"),
        ],
    )
    def test_mistakes(self, value: object, message: str) -> None:
        with pytest.raises(ValueError) as caught:
            target_of(value)
        assert str(caught.value) == message


class TestCalledFiles:
    """``files``: what called workflows declare is judged; which are known is part of the question."""

    CALLER = "jobs: {a: {uses: ./b.yaml, with: {x: 1}}}\n"

    def test_change_the_result(self) -> None:
        assert check(self.CALLER).ok
        assert not check(self.CALLER, files={"b.yaml": "on: call\n" + JOB}).ok
        assert check(self.CALLER, files={"b.yaml": "on: {call: {inputs: {x: {type: number}}}}\n" + JOB}).ok

    def test_a_cycle_is_seen_from_any_of_its_files(self) -> None:
        files = {"b.yaml": "on: call\njobs: {a: {uses: ./c.yaml}}", "c.yaml": "on: call\njobs: {a: {uses: ./b.yaml}}"}
        for name, text in files.items():
            assert [each.code for each in check(text, filename=name, files=files).diagnostics] == ["WF1905"]

    def test_a_long_chain_is_followed(self) -> None:
        files = {f"{n}.yaml": f"on: call\njobs: {{a: {{uses: ./{n + 1}.yaml}}}}" for n in range(2_000)}
        assert check(files["0.yaml"], filename="0.yaml", files=files).ok

    def test_a_circle_is_one_error_however_often_it_is_called(self) -> None:
        files = {"b.yaml": "on: call\njobs: {a: {uses: ./b.yaml}}"}
        text = "jobs: {a: {uses: ./b.yaml}, b: {uses: ./b.yaml}}"
        assert [each.code for each in check(text, files=files).diagnostics] == ["WF1905"]
