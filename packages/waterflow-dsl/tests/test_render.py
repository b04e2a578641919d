"""The four renderings of diagnostics."""

import json

from waterflow_dsl import check, render_github, render_json, render_sarif, render_text

TEXT = "name: 漢字\njobs:\n  a:\n    steps:\n      - run: 漢 ${{ vars.x }}\n        timout: 1\n"
FOUND = check(TEXT, filename="a b,c.yaml").diagnostics


class TestText:
    def test_caret_stands_below_the_mistake_also_behind_wide_characters(self) -> None:
        assert render_text(FOUND, TEXT) == (
            "a b,c.yaml:5:25: error WF1306: `vars` has no `x`\n"
            " 5 |       - run: 漢 ${{ vars.x }}\n"
            "   |                          ^\n"
            "   = hint: declare it under `vars:` with a default\n"
            "\n"
            "a b,c.yaml:6:9: error WF1102: unknown key `timout` in a step\n"
            " 6 |         timout: 1\n"
            "   |         ^^^^^^\n"
            "   = hint: did you mean `timeout`?\n"
            "\n"
            "2 errors\n"
        )

    def test_colours(self) -> None:
        assert "\x1b[1;31merror WF1306\x1b[0m" in render_text(FOUND, TEXT, color=True)

    def test_long_lines_are_cut_around_the_mistake(self) -> None:
        text = "jobs: {a: {steps: [{run: '" + "x" * 500 + "${{ vars.x }}'}]}}"
        line = render_text(check(text).diagnostics, text).splitlines()[1]
        assert len(line) < 130
        assert "${{ vars.x }}" in line

    def test_nothing_found_is_nothing(self) -> None:
        assert render_text([], TEXT) == ""


class TestJson:
    def test_every_field(self) -> None:
        assert json.loads(render_json(FOUND[:1])) == {
            "diagnostics": [
                {
                    "code": "WF1306",
                    "severity": "error",
                    "message": "`vars` has no `x`",
                    "file": "a b,c.yaml",
                    "line": 5,
                    "column": 25,
                    "end_line": 5,
                    "end_column": 26,
                    "path": "jobs.a.steps[0].run",
                    "hint": "declare it under `vars:` with a default",
                    "anchor": "docs/reference/diagnostics.md#wf1306",
                }
            ]
        }


class TestGithub:
    def test_properties_are_escaped(self) -> None:
        assert render_github(FOUND).splitlines()[0] == (
            "::error file=a b%2Cc.yaml,line=5,endLine=5,col=25,endColumn=26,title=WF1306"
            "::`vars` has no `x` (declare it under `vars:` with a default)"
        )


class TestSarif:
    def test_results_refer_to_their_rules(self) -> None:
        run = json.loads(render_sarif(FOUND))["runs"][0]
        assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["WF1102", "WF1306"]
        first = run["results"][0]
        assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("WF1306", 1, "error")
        assert first["locations"][0]["physicalLocation"] == {
            "artifactLocation": {"uri": "a%20b%2Cc.yaml"},
            "region": {"startLine": 5, "startColumn": 25, "endLine": 5, "endColumn": 26},
        }
