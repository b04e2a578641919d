"""Everything from outside is hostile: one clear diagnostic, quickly, and never an exception."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waterflow_dsl import check, render_github, render_json, render_sarif, render_text

JOB = "jobs:\n  a:\n    steps:\n      - run: x\n"
MEGABYTE = 1_000_000
LIMIT_SECONDS = 10.0


def _only(text: str | bytes) -> tuple[str, int, int, str]:
    diagnostics = check(text).diagnostics
    assert len(diagnostics) == 1, diagnostics
    d = diagnostics[0]
    return d.code, d.line, d.column, d.message


class TestEncoding:
    def test_a_byte_order_mark_is_skipped(self) -> None:
        assert check(b"\xef\xbb\xbf" + JOB.encode()).ok

    def test_utf_16(self) -> None:
        assert _only(JOB.encode("utf-16")) == ("WF1003", 1, 1, "the file is UTF-16")

    def test_latin_1(self) -> None:
        found = _only("# first\nname: café\n".encode("latin-1"))
        assert found == ("WF1003", 2, 10, "byte 0xe9 is not valid UTF-8")

    def test_a_program(self) -> None:
        assert _only(b"\x7fELF\x02\x01\x01\x00\x00") == ("WF1003", 1, 1, "the file is binary: it holds NUL bytes")

    def test_control_characters(self) -> None:
        assert _only("name: a\x1b[31m\n") == ("WF1012", 1, 8, "the character U+001B is not allowed")

    def test_lone_surrogates(self) -> None:
        assert _only("name: \ud800\n") == ("WF1012", 1, 7, "the character U+D800 is not allowed")

    def test_escapes_do_not_reach_a_terminal(self) -> None:
        text = 'jobs: {"\\e[31m": 1}\n'
        assert "\x1b" not in render_text(check(text).diagnostics, text)


class TestLimits:
    def test_100_megabytes_are_refused_before_they_are_read(self) -> None:
        start = time.perf_counter()
        assert _only(b"a" * 100 * MEGABYTE) == ("WF1005", 1, 1, "the file has 95.4 MB; the limit is 8 MB")
        assert time.perf_counter() - start < LIMIT_SECONDS

    def test_aliases_that_multiply(self) -> None:
        levels = "".join(f"  {chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9))
        found = _only("vars:\n  a: &a [x, x, x, x, x, x, x, x, x]\n" + levels + JOB)
        assert found == ("WF1007", 7, 10, "aliases repeat more than 100,000 values")

    @pytest.mark.parametrize(
        ("opening", "column"), [("[", 101), ("- ", 201), ("{a: ", 401)], ids=["brackets", "dashes", "mappings"]
    )
    def test_nesting(self, opening: str, column: int) -> None:
        assert _only(opening * 100_000) == ("WF1006", 1, column, "more than 100 levels of nesting")

    def test_nesting_of_100_levels(self) -> None:
        assert check("vars: {a: " + "[" * 97 + "]" * 97 + "}\n" + JOB).ok


LARGE = {
    "one long scalar": "name: " + "a" * MEGABYTE,
    "half a million values": "vars: {a: [" + ",".join("1" * 500_000) + "]}\n" + JOB,
    "10,000 unknown keys": "jobs:\n a:\n  steps:\n" + "".join(f"   - rn{i}: x\n" for i in range(10_000)),
    "10,000 mistakes in one text": "jobs:\n a:\n  steps:\n   - run: |\n"
    + "".join(f"      ${{{{ vars.x{i} }}}}\n" for i in range(10_000)),
    "10,000 unknown needs": "jobs:\n"
    + "".join(f" j{i}: {{needs: k{i}, steps: [{{run: x}}]}}\n" for i in range(10_000)),
    "a chain of 10,000 jobs": "jobs:\n j0: {steps: [{run: x}]}\n"
    + "".join(f" j{i}: {{needs: j{i - 1}, steps: [{{run: x}}]}}\n" for i in range(1, 10_000)),
    "nothing but blanks": " " * MEGABYTE,
    "nothing but line ends": "\n" * MEGABYTE,
    "nothing but colons": ":" * MEGABYTE,
    "nothing but quotes": "a: " + "'" * MEGABYTE,
    "nothing but stars": "*" * MEGABYTE,
    "a long anchor": "a: &" + "x" * MEGABYTE + " 1\n",
    "an expression that is too long": "run-name: ${{ " + "a" * MEGABYTE + " }}\n" + JOB,
    "a megabyte of quotes in an expression": 'run-name: "${{ ' + "'" * MEGABYTE + ' }}"\n' + JOB,
    "18,000 unknown steps": "jobs:\n a:\n  steps:\n"
    + "".join(f"   - {{id: s{i}, run: '${{{{ steps.z{i}.outcome }}}}'}}\n" for i in range(18_000)),
    "a matrix of 50,000 names": "jobs: {a: {strategy: {matrix: {"
    + ",".join(f"k{i}: [1, 2]" for i in range(50_000))
    + "}}, steps: [{run: x}]}}",
    "unclosed mappings": "".join(f"{{a{i}" for i in range(50_000)),
}


class TestSize:
    @pytest.mark.parametrize("name", LARGE)
    def test_a_megabyte_of_anything(self, name: str) -> None:
        start = time.process_time()
        check(LARGE[name])
        assert time.process_time() - start < 2 * LIMIT_SECONDS

    def test_10_000_mistakes_are_all_reported(self) -> None:
        assert len(check(LARGE["10,000 mistakes in one text"]).diagnostics) == 10_000

    def test_the_10_001st_is_not(self) -> None:
        result = check(LARGE["18,000 unknown steps"])
        assert (len(result.diagnostics), result.ok) == (10_000, False)


VALID = (
    "name: x\non: {manual: {inputs: {v: {type: string}}}, schedule: [{cron: '0 2 * * *'}]}\nvars: &v {a: [1, 2]}\n"
    "env: {A: 'it''s', B: \"\\t${{ vars.a }}\"}\njobs:\n  a:\n    runs-on: {group: g, target: all}\n"
    "    rollout: {batches: [1, 30%]}\n    steps:\n      - id: one\n        run: |\n          echo ${{ inputs.v }}\n"
    "        retry: {max-attempts: 3}\n"
    '      - for-each: ${{ vars.a }}\n        as: n\n        steps: [{run: "${{ n }}"}]\n'
    "      - if: steps.one.outcome == 'success'\n        then: [{uses: docker/exec@1, with: {command: >-\n"
    "          folded ${{ item }}\n          }}]\n"
    "  b:\n    needs: a\n    if: always()\n    strategy: {matrix: {x: [1]}}\n"
    "    steps: [{uses: sleep, with: {duration: 1s}}]\n"
)
WORDS = "${{ }} - : [ ] { } ' \" | > &a *a ! # ? null ~ -1 1e999 0x --- ... % @ ` if <<:"
FRAGMENTS = st.sampled_from(
    [*WORDS.split(), "\n", "  ", "\t", ": ", "<<: *v", "needs: a", "\u2028", "\ufeff", "é", "\x00"]
)


class TestMutations:
    @settings(max_examples=400, deadline=None)
    @given(st.data())
    def test_a_mutated_file_never_raises(self, data: st.DataObject) -> None:
        text = VALID
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(text)))
            cut = data.draw(st.integers(0, 12))
            text = text[:at] + data.draw(FRAGMENTS | st.text(max_size=3)) + text[at + cut :]
        _check_everything(text)

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=200))
    def test_random_bytes_never_raise(self, data: bytes) -> None:
        _check_everything(data)


def _check_everything(text: str | bytes) -> None:
    for dialect in ("waterflow", "github"):
        result = check(text, dialect=dialect)
        assert result.ok or any(each.severity == "error" for each in result.diagnostics)
        assert all(each.line >= 1 and each.column >= 1 for each in result.diagnostics)
        render_text(result.diagnostics, text)
        for render in (render_json, render_sarif, render_github):
            render(result.diagnostics)
