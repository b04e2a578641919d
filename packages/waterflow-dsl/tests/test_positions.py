"""The column of a mistake inside an expression is exact in every style of YAML's scalars."""

from hypothesis import given, settings
from hypothesis import strategies as st

from waterflow_dsl import check

MARK = "vars.missing"
WORDS = st.lists(st.sampled_from(["a", "b c", "é", "漢", "it's", "x: y", "#", "\\", '"', "%"]), max_size=6)


def _place(text: str) -> tuple[int, int]:
    before = text[: text.index(MARK) + len("vars.")]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _assert_exact(text: str) -> None:
    found = [(each.line, each.column) for each in check(text).diagnostics if each.code == "WF1306"]
    assert found == [_place(text)], text


def _file(run: str) -> str:
    return f"jobs:\n  a:\n    steps:\n      - run: {run}\n"


class TestColumn:
    @settings(max_examples=150, deadline=None)
    @given(WORDS, st.sampled_from(["|", "|-", "|+", ">", ">-", "|2"]), st.lists(st.integers(0, 3), max_size=5))
    def test_in_a_block(self, words: list[str], header: str, indents: list[int]) -> None:
        lines = ["first", *(" " * indent + word for indent, word in zip(indents, words, strict=False))]
        lines.append(f"{' '.join(words)} ${{{{ {MARK} }}}} after")
        pad = " " * 10
        _assert_exact(_file(header + "\n" + "\n".join(pad + line for line in lines)))

    @settings(max_examples=100, deadline=None)
    @given(WORDS)
    def test_in_single_quotes(self, words: list[str]) -> None:
        text = " ".join(words).replace("'", "''")
        _assert_exact(_file(f"'{text} ${{{{ {MARK} }}}}'"))

    @settings(max_examples=100, deadline=None)
    @given(
        WORDS, st.lists(st.sampled_from(["\\t", "\\x41", "\\u00e9", "\\U0001F600", "\\\\", '\\"', "\\n"]), max_size=5)
    )
    def test_in_double_quotes(self, words: list[str], escapes: list[str]) -> None:
        text = " ".join(words).replace("\\", "\\\\").replace('"', '\\"') + "".join(escapes)
        _assert_exact(_file(f'"{text} ${{{{ {MARK} }}}}"'))

    @settings(max_examples=50, deadline=None)
    @given(st.integers(1, 6), st.integers(1, 3))
    def test_in_a_quoted_text_over_several_lines(self, indent: int, breaks: int) -> None:
        fold = "\n" * breaks + " " * (8 + indent)
        for quote in ("'", '"'):
            _assert_exact(_file(f"{quote}one  {fold}two{fold}${{{{ {MARK} }}}}{quote}"))

    def test_behind_an_escaped_line_end(self) -> None:
        _assert_exact(_file(f'"one \\\n          two ${{{{ {MARK} }}}}"'))

    def test_in_a_plain_text_over_several_lines(self) -> None:
        _assert_exact(_file(f"one\n          two\n\n          ${{{{ {MARK} }}}}"))

    def test_in_a_flow_list(self) -> None:
        _assert_exact(_file("x") + f"        for-each: [1, '''', \"\\t\", \"${{{{ {MARK} }}}}\"]\n")

    def test_on_the_second_line_of_an_expression(self) -> None:
        _assert_exact(_file(f"|\n          ${{{{ true &&\n            {MARK} }}}}"))

    def test_in_a_condition_without_braces(self) -> None:
        _assert_exact(_file("x") + f"        if: '''a'' == {MARK}'\n")


class TestGithubLimits:
    def test_a_script_with_an_expression_counts_as_one(self) -> None:
        script = "".join(f"          echo {'x' * 990}\n" for _ in range(22))
        head = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n"
        text = head + "          ${{ github.sha }}\n" + script
        found = [(each.line, each.column, each.message) for each in check(text, dialect="github").diagnostics]
        assert found == [(6, 14, "Exceeded max expression length 21000")]
        assert check(text.replace("${{ github.sha }}", "true"), dialect="github").ok
