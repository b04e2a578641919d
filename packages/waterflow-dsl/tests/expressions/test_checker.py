"""What is known of an expression before it is evaluated."""

import pytest

from waterflow_dsl.expressions import (
    Expression,
    ExpressionError,
    Span,
    called_functions,
    check_expression,
    find_function,
    nearest,
    parse_expression,
    references,
)

CONTEXTS = frozenset({"vars", "inputs", "needs", "steps"})


def messages(text: str, *, functions: frozenset[str] | None = None, dialect: str = "waterflow") -> list[str]:
    expression = parse_expression(text, dialect="github" if dialect == "github" else "waterflow")
    return [str(error) for error in check_expression(expression, names=CONTEXTS, functions=functions)]


class TestNames:
    def test_known_contexts_are_fine_in_any_case(self) -> None:
        assert messages("VARS.a == inputs.b || Needs.c.result") == []

    def test_every_unknown_context_is_reported_not_only_the_first(self) -> None:
        text = "varz.a == 1 && format('{0}', setps.x)"
        assert messages(text) == [
            f"Unrecognized named-value: 'varz'. Located at position 1 within expression: {text}",
            f"Unrecognized named-value: 'setps'. Located at position 30 within expression: {text}",
        ]

    def test_without_a_list_of_names_every_name_is_allowed(self) -> None:
        assert check_expression(parse_expression("anything.at.all")) == []

    def test_the_nearest_name_is_suggested(self) -> None:
        (error,) = check_expression(parse_expression("varz.a"), names=CONTEXTS)
        assert error.suggestion == "vars"

    def test_nothing_is_suggested_when_nothing_is_near(self) -> None:
        (error,) = check_expression(parse_expression("qqq.a"), names=CONTEXTS)
        assert error.suggestion is None


class TestFunctions:
    def test_an_unknown_function_is_reported_with_the_nearest(self) -> None:
        (error,) = check_expression(parse_expression("contians('a', 'b')"), names=CONTEXTS)
        assert error.message == (
            "Unrecognized function: 'contians'. Located at position 1 within expression: contians('a', 'b')"
        )
        assert error.suggestion == "contains"

    def test_functions_of_the_caller_exist_only_where_they_are_allowed(self) -> None:
        assert messages("success() && hashFiles('a')", functions=frozenset({"success"})) == [
            "Unrecognized function: 'hashFiles'. Located at position 14 within expression: success() && hashFiles('a')"
        ]

    def test_without_a_list_all_functions_of_the_caller_are_allowed(self) -> None:
        assert messages("success() && failure() && hashFiles('a') && now()") == []

    def test_the_github_dialect_has_none_of_ours(self) -> None:
        assert messages("upper('a')", dialect="github") == [
            "Unrecognized function: 'upper'. Located at position 1 within expression: upper('a')"
        ]

    def test_arity_and_format_strings_are_checked_in_every_call(self) -> None:
        assert [text.partition(". Located")[0] for text in messages("join() || format('{0}') || case(true, 1)")] == [
            "Too few parameters supplied: 'join'",
            "Format string references {0} but only 0 argument(s) provided",
            "Too few parameters supplied: 'case'",
        ]

    def test_a_function_is_found_in_any_case(self) -> None:
        found = find_function("FROMJSON", "github")
        assert found is not None
        assert (found.name, found.signature, found.extension) == ("fromJSON", "fromJSON(text)", False)

    def test_called_functions_have_their_documented_spelling(self) -> None:
        expression = parse_expression("SUCCESS() && contains(toJson(vars), lower('A'))")
        assert called_functions(expression) == {"success", "contains", "toJSON", "lower"}


class TestReferences:
    def test_a_path_is_followed_as_far_as_it_is_static(self) -> None:
        text = "needs.build.outputs[vars.key].url == steps['a'].outputs.*.x[0]"
        assert [reference.path for reference in references(parse_expression(text))] == [
            ("needs", "build", "outputs", None, "url"),
            ("vars", "key"),
            ("steps", "a", "outputs", None, "x", 0),
        ]

    def test_every_segment_has_its_place(self) -> None:
        (reference,) = references(parse_expression("(vars . a)['b'] "))
        assert reference.path == ("vars", "a", "b")
        assert reference.spans == (Span(2, 6), Span(9, 10), Span(12, 15))
        assert reference.span == Span(2, 16)

    def test_a_context_alone_is_a_reference(self) -> None:
        assert [reference.path for reference in references(parse_expression("toJSON(vars)"))] == [("vars",)]

    def test_what_a_function_gives_is_no_reference(self) -> None:
        assert [reference.path for reference in references(parse_expression("fromJSON(vars.a).b"))] == [("vars", "a")]

    def test_the_callback_gets_path_and_span(self) -> None:
        seen: list[object] = []
        expression = parse_expression("vars.a && inputs.b")
        check_expression(expression, on_reference=lambda path, span: seen.append((path, span)))
        assert seen == [(("vars", "a"), Span(1, 7)), (("inputs", "b"), Span(11, 19))]


class TestTree:
    def test_blank_text_has_no_root(self) -> None:
        assert parse_expression("  ") == Expression(text="  ", dialect="waterflow", root=None)

    def test_it_cannot_be_changed(self) -> None:
        expression = parse_expression("1")
        with pytest.raises(AttributeError, match="immutable type: 'Expression'"):
            expression.text = "2"  # pyright: ignore[reportAttributeAccessIssue]

    def test_names_are_not_judged(self) -> None:
        assert parse_expression("no.such(name)".replace("(name)", "")).root is not None

    def test_form_is_judged(self) -> None:
        with pytest.raises(ExpressionError, match="Unexpected end of expression: '=='") as caught:
            parse_expression("vars.a ==")
        assert (caught.value.kind, caught.value.position) == ("parsing", 8)


class TestNearest:
    @pytest.mark.parametrize(
        ("name", "expected"), [("varz", "vars"), ("NEED", "needs"), ("input", "inputs"), ("zzz", None), ("", None)]
    )
    def test_case_does_not_matter(self, name: str, expected: str | None) -> None:
        assert nearest(name, CONTEXTS) == expected
