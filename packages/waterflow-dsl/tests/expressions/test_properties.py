"""What holds for every input: against an independent model, against mutation, and against itself."""

import json
import math
import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from waterflow_dsl.expressions import (
    Context,
    ExpressionError,
    LiteralSegment,
    check_expression,
    evaluate,
    interpolate,
    parse_expression,
    parse_template,
    references,
    to_string,
    walk,
)

relaxed = settings(deadline=None, max_examples=300)

CONTEXTS: dict[str, object] = {
    "vars": {"a": "x", "B": 2.0, "list": ["p", {"k": 1.0}, None], "empty": "", "flag": True},
    "steps": {"one": {"outputs": {"n": "4"}}, "two": {"outputs": {}}},
    "item": None,
}

numbers_as_text = st.from_regex(r"[ ]?[+-]?(0x|0o)?[0-9a-f.]{0,4}([eE][+-]?[0-9]{0,2})?[ ]?", fullmatch=True)
texts = st.one_of(
    st.text(max_size=6),
    numbers_as_text,
    st.sampled_from(["", " ", "Infinity", "-Infinity", "+Infinity", "NaN", "true", "null", "ı", "I", "ς", "Σ", "ß"]),
)
primitives = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(-5, 5), texts)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**12), 10**12).map(float), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)

ATOMS = """
1 -0.5 0xff 'it''s' '' null true NaN vars.a vars.list[1].k vars.* steps.*.outputs item VARS['b'] vars.list.*.k
steps[vars.a] success()
"""
atoms = st.sampled_from(ATOMS.split())


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "&&", "||"])
    one = st.sampled_from(
        ["toJSON", "fromJSON", "join", "length", "keys", "values", "trim", "min", "range", "formatDate"]
    )
    two = st.sampled_from(["contains", "startsWith", "endsWith", "format", "join", "default", "split", "max"])
    return st.one_of(
        st.tuples(inner, binary, inner).map(" ".join),
        inner.map(lambda text: f"!({text})"),
        inner.map(lambda text: f"({text})[0]"),
        inner.map(lambda text: f"({text}).*"),
        st.tuples(one, inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        st.tuples(two, inner, inner).map(lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"case({', '.join(parts)})"),
    )


expressions = st.recursive(atoms, _compound, max_leaves=8)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """An expression with a piece cut out, doubled or replaced by something else."""
    text = draw(expressions)
    for _ in range(draw(st.integers(1, 3))):
        start, length = draw(st.integers(0, len(text))), draw(st.integers(0, 4))
        alphabet = string.printable + "éßı\u2028\x00🚀\ud800"
        piece = draw(st.one_of(st.text(alphabet, max_size=3), st.just(text[start : start + length] * 2)))
        text = text[:start] + piece + text[start + length :]
    return text


def outcome(text: str, evaluate_text: Any = evaluate) -> tuple[str, object]:
    """The value, or the whole error, in a form that can be compared (NaN included)."""
    try:
        return "value", repr(evaluate_text(text, CONTEXTS, functions={"success": lambda: True}))
    except ExpressionError as error:
        return "error", (error.kind, error.message, error.position)


class TestMutatedInput:
    @relaxed
    @given(mutated())
    def test_it_gives_a_value_or_an_expression_error_within_the_text(self, text: str) -> None:
        kind, result = outcome(text)
        if kind == "error":
            assert isinstance(result, tuple)
            assert 1 <= result[2] <= len(text)

    @relaxed
    @given(st.text(string.printable + "é🚀", max_size=40))
    def test_noise_is_refused_or_evaluated(self, text: str) -> None:
        assert outcome(text)[0] in ("value", "error")

    @relaxed
    @given(st.lists(st.one_of(mutated().map(lambda text: "${{ " + text + " }}"), st.text(max_size=6)), max_size=4))
    def test_templates_are_refused_or_evaluated(self, pieces: list[str]) -> None:
        assert outcome("".join(pieces), interpolate)[0] in ("value", "error")

    @relaxed
    @given(mutated())
    def test_a_lexing_or_parsing_error_ends_with_the_place_and_the_text(self, text: str) -> None:
        kind, result = outcome(text, lambda text, *_contexts, **_functions: parse_expression(text))
        if kind == "error":
            assert isinstance(result, tuple)
            _stage, message, position = result
            assert message.endswith(f". Located at position {position} within expression: {text}")
            symbol = message.removesuffix(f"'. Located at position {position} within expression: {text}")
            assert text[position - 1 :].startswith(symbol.partition(": '")[2])


class TestValidInput:
    @relaxed
    @given(expressions)
    def test_evaluation_is_deterministic(self, text: str) -> None:
        assert outcome(text) == outcome(text)

    @relaxed
    @given(expressions)
    def test_only_values_can_be_refused_once_the_checker_is_content(self, text: str) -> None:
        assert check_expression(parse_expression(text), names=CONTEXTS, functions={"success"}) == []
        kind, result = outcome(text)
        assert kind == "value" or (isinstance(result, tuple) and result[0] == "evaluation")

    @relaxed
    @given(expressions)
    def test_white_space_and_groups_change_nothing(self, text: str) -> None:
        kind, result = outcome(text)
        if kind == "value":
            assert outcome(f" \n( {text} )\t") == (kind, result)

    @relaxed
    @given(expressions)
    def test_spans_are_exact(self, text: str) -> None:
        for node in walk(parse_expression(text)):
            assert 1 <= node.span.start < node.span.end <= len(text) + 1
            if isinstance(node, Context):
                assert node.span.of(text) == node.name
        for reference in references(parse_expression(text)):
            assert reference.spans[0].of(text) == reference.path[0]
            assert len(reference.spans) == len(reference.path)

    @relaxed
    @given(expressions, expressions)
    def test_logic_is_that_of_its_operands(self, left: str, right: str) -> None:
        if outcome(left)[0] == outcome(right)[0] == "value":
            chosen = left if outcome(f"!!({left})") == ("value", "False") else right
            assert outcome(f"({left}) && ({right})") == outcome(chosen)
            other = right if chosen is left else left
            assert outcome(f"({left}) || ({right})") == outcome(other)


class TestRoundTrips:
    @relaxed
    @given(json_values)
    def test_json_survives_being_written_and_read(self, value: object) -> None:
        assert evaluate("fromJSON(toJSON(v))", {"v": value}) == value

    @relaxed
    @given(json_values)
    def test_written_json_is_what_python_writes_with_two_spaces(self, value: object) -> None:
        text = evaluate("toJSON(v)", {"v": value})
        assert isinstance(text, str)
        assert json.loads(text) == value
        if all(mark not in text for mark in ("\\u0085", "\\u2028", "\\u2029")):
            plain = json.dumps(json.loads(text, parse_float=float), indent=2, ensure_ascii=False)
            assert text == plain

    @relaxed
    @given(st.text(max_size=30))
    def test_any_text_can_be_written_as_a_literal(self, text: str) -> None:
        assert evaluate("'" + text.replace("'", "''") + "'", {}) == text

    @relaxed
    @given(st.text(max_size=30))
    def test_any_text_survives_format_with_doubled_braces(self, text: str) -> None:
        assert evaluate("format(t)", {"t": text.replace("{", "{{").replace("}", "}}")}) == text

    @relaxed
    @given(st.lists(st.one_of(st.just("${{ vars.a }}"), st.text(max_size=5)), max_size=5).map("".join))
    def test_the_segments_of_a_template_are_the_template(self, text: str) -> None:
        try:
            template = parse_template(text)
        except ExpressionError:
            return
        pieces = [
            segment.text if isinstance(segment, LiteralSegment) else text[segment.start : segment.end]
            for segment in template.segments
        ]
        assert "".join(pieces) == text


class TestAgainstTheModel:
    """The coercion table and the comparison rules of GitHub's page, written a second time in the plainest way."""

    @settings(deadline=None, max_examples=600)
    @given(primitives, primitives, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
    def test_comparison(self, left: object, right: object, operator: str) -> None:
        assert evaluate(f"a {operator} b", {"a": left, "b": right}) is model_compare(left, operator, right)

    @settings(deadline=None, max_examples=600)
    @given(texts)
    def test_text_to_number(self, text: str) -> None:
        actual, expected = evaluate("min(t)", {"t": text}), model_number(text)
        assert isinstance(actual, float)
        assert actual == expected or (math.isnan(actual) and math.isnan(expected))

    @settings(deadline=None, max_examples=600)
    @given(st.floats(-1e300, 1e300, allow_subnormal=False))
    def test_number_to_text_reads_back_to_15_digits(self, number: float) -> None:
        text = to_string(number)
        back = model_number(text)
        assert back == number or math.isclose(back, number, rel_tol=1e-14)

    @relaxed
    @given(primitives)
    def test_truth(self, value: object) -> None:
        falsy = value is None or value is False or value == "" or (isinstance(value, int | float) and value == 0)
        falsy = falsy or (isinstance(value, float) and math.isnan(value))
        assert evaluate("!v", {"v": value}) is falsy


def model_number(text: str) -> float:
    """`Number()` of ECMAScript for the forms that GitHub reads, character by character."""
    text = text.strip(
        " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
    )
    if text == "":
        return 0.0
    for prefix, digits, base in (("0x", "0123456789abcdefABCDEF", 16), ("0o", "01234567", 8)):
        if text.startswith(prefix):
            rest = text[2:]
            return float(int(rest, base)) if rest and all(c in digits for c in rest) else math.nan
    sign, unsigned = (text[0], text[1:]) if text[0] in "+-" else ("+", text)
    if unsigned == "Infinity":
        return -math.inf if sign == "-" else math.inf
    mantissa, mark, exponent = unsigned.replace("E", "e").partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    decimal = all(c in string.digits for c in whole + fraction) and whole + fraction != ""
    if not decimal or (mark and not (power and all(c in string.digits for c in power))):
        return math.nan
    return float(text)


def model_coerce(value: object) -> float:
    if value is None:
        return 0.0
    if isinstance(value, str):
        return model_number(value)
    assert isinstance(value, int | float)
    return float(value)


def model_fold(text: str) -> str:
    folded = ""
    for character in text:
        upper = character.upper() if len(character.upper()) == 1 else character.title()
        folded += character if character in "ıſ" or len(upper) != 1 else upper
    return folded


def model_compare(left: object, operator: str, right: object) -> bool:
    if operator == "!=":
        return not model_compare(left, "==", right)
    if operator in ("<=", ">="):
        return model_compare(left, "==", right) or model_compare(left, operator[0], right)
    if operator == ">":
        return model_compare(right, "<", left)
    if isinstance(left, str) and isinstance(right, str):
        units = [list(model_fold(text).encode("utf-16-be", "surrogatepass")) for text in (left, right)]
        return units[0] == units[1] if operator == "==" else units[0] < units[1]
    if left is None and right is None:
        return operator == "=="
    first, second = model_coerce(left), model_coerce(right)
    return first == second if operator == "==" else first < second
