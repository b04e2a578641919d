"""Text with expressions: its segments, and where in it an error is."""

import pytest

from waterflow_dsl.expressions import (
    ExpressionError,
    ExpressionSegment,
    LiteralSegment,
    interpolate,
    parse_expression,
    parse_template,
)


class TestSegments:
    def test_text_alone_is_one_literal(self) -> None:
        assert parse_template("plain").segments == (LiteralSegment(text="plain", start=0),)

    def test_an_empty_text_is_one_empty_literal(self) -> None:
        assert parse_template("").segments == (LiteralSegment(text="", start=0),)

    def test_segments_cover_the_text_with_offsets(self) -> None:
        assert parse_template("a ${{  vars.b }}c").segments == (
            LiteralSegment(text="a ", start=0),
            ExpressionSegment(expression="vars.b", start=2, end=16, offset=7),
            LiteralSegment(text="c", start=16),
        )

    def test_adjacent_expressions_have_nothing_between_them(self) -> None:
        assert [segment.expression for segment in parse_template("${{ 1 }}${{ 2 }}").expressions] == ["1", "2"]

    def test_braces_in_a_string_literal_do_not_close(self) -> None:
        assert [segment.expression for segment in parse_template("${{ '}}' }}").expressions] == ["'}}'"]

    def test_whole_is_set_only_without_any_other_text(self) -> None:
        whole = parse_template("${{ 1 }}").whole
        assert whole is not None
        assert whole.expression == "1"
        assert parse_template("${{ 1 }} ").whole is None
        assert parse_template("1").whole is None

    def test_position_and_offset_lead_to_the_character_in_the_template(self) -> None:
        text = "key: ${{ vars.a == = }}"
        (segment,) = parse_template(text).expressions
        with pytest.raises(ExpressionError) as caught:
            parse_expression(segment.expression)
        assert text[segment.offset + caught.value.position - 1] == "="
        assert segment.offset + caught.value.position == 20


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "place"),
        [("${{ nope }}", 5), ("é ${{nope}}", 6), ("${{ 1 }}\n${{ 2 == nope }}", 19), ("ab ${{ '", 4), ("a${{ }}", 2)],
    )
    def test_the_place_in_the_template_is_offset_plus_position(self, text: str, place: int) -> None:
        with pytest.raises(ExpressionError) as caught:
            interpolate(text, {})
        assert caught.value.offset + caught.value.position == place

    def test_an_expression_on_its_own_has_no_offset(self) -> None:
        with pytest.raises(ExpressionError) as caught:
            parse_expression("1 +")
        assert caught.value.offset == 0

    def test_text_past_the_memory_limit_is_not_made(self) -> None:
        with pytest.raises(ExpressionError, match="The maximum allowed memory size was exceeded") as caught:
            interpolate("${{ vars.t }}" * 6, {"vars": {"t": "x" * 1_000_000}})
        assert caught.value.kind == "evaluation"


class TestFunctionsOfTheCaller:
    def test_they_get_the_evaluated_arguments(self) -> None:
        host = {"hashFiles": lambda *patterns: "+".join(patterns)}
        assert interpolate("k-${{ hashFiles('a', vars.b) }}", {"vars": {"b": "x"}}, functions=host) == "k-a+x"

    def test_they_are_asked_only_when_needed(self) -> None:
        def unexpected() -> bool:
            raise AssertionError("asked")

        assert interpolate("${{ true || failure() }}", {}, functions={"failure": unexpected}) is True
