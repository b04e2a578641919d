"""The promises of `evaluate` that are not a matter of a single value."""

import timeit
from types import MappingProxyType

import pytest

from waterflow_dsl.expressions import ExpressionError, evaluate, interpolate, to_string


class TestValues:
    def test_an_int_of_a_context_is_a_number(self) -> None:
        value = evaluate("vars.n", {"vars": {"n": 3}})
        assert (type(value), value) == (float, 3.0)

    def test_a_boolean_stays_a_boolean(self) -> None:
        assert evaluate("vars.b", {"vars": {"b": True}}) is True

    def test_an_int_past_every_float_is_infinite(self) -> None:
        assert evaluate("vars.n > 1e308", {"vars": {"n": 10**400}}) is True
        assert evaluate("vars.n < -1e308", {"vars": {"n": -(10**400)}}) is True

    def test_a_filtered_array_leaves_as_a_plain_list(self) -> None:
        value = evaluate("vars.*", {"vars": {"a": "x"}})
        assert (type(value), value) == (list, ["x"])

    def test_tuples_and_read_only_mappings_are_arrays_and_objects(self) -> None:
        contexts = MappingProxyType({"vars": MappingProxyType({"l": ("a", "b")})})
        assert evaluate("join(vars.l, toJSON(vars.l[0]))", contexts) == 'a"a"b'

    def test_a_value_of_another_type_is_an_object_without_keys(self) -> None:
        contexts = {"vars": {"x": object()}}
        assert evaluate("format('{0}', vars.x)", contexts) == "Object"
        assert evaluate("toJSON(vars.x)", contexts) == "{}"
        assert evaluate("vars.x.y", contexts) is None
        assert evaluate("!vars.x", contexts) is False

    def test_half_a_character_in_json_is_replaced(self) -> None:
        assert evaluate("fromJSON(t)", {"t": '{"\\ud800": ["a\\uDC00b"]}'}) == {"\ufffd": ["a\ufffdb"]}

    def test_contexts_are_not_changed(self) -> None:
        contexts = {"vars": {"a": [3, 1], "b": {"k": None}}}
        evaluate("toJSON(vars.*) && values(vars) && min(vars.a) && keys(vars.b)", contexts)
        assert contexts == {"vars": {"a": [3, 1], "b": {"k": None}}}

    def test_text_of_a_value_is_the_same_outside_and_inside(self) -> None:
        for value in (None, True, 3, 0.1, 1e21, "x", [], {}):
            assert to_string(value) == interpolate("${{ v }}${{ '' }}", {"v": value})


class TestErrorsFromTheCaller:
    def test_an_error_of_a_function_of_the_caller_is_the_callers(self) -> None:
        def broken() -> bool:
            raise RuntimeError("no answer")

        with pytest.raises(RuntimeError, match="no answer"):
            evaluate("success()", {}, functions={"success": broken})


class TestCost:
    def test_a_miss_deep_in_a_path_costs_no_more_than_a_hit(self) -> None:
        assert evaluate("a" + ".a" * 49, {"a": {}}) is None

    def test_long_digits_are_read_in_linear_time(self) -> None:
        text = "9" * 1_000_000
        assert timeit.timeit(lambda: evaluate("min(t)", {"t": text + "x"}), number=1) < 1
        assert evaluate("min(t)", {"t": text}) == float("inf")

    def test_shared_nesting_is_refused_by_memory_and_not_by_patience(self) -> None:
        shared: object = ["x"]
        for _ in range(60):
            shared = [shared, shared]
        with pytest.raises(ExpressionError, match="The maximum allowed memory size was exceeded"):
            evaluate("toJSON(v)", {"v": shared})

    def test_nesting_past_the_stack_is_written(self) -> None:
        nested: object = "x"
        for _ in range(1_500):
            nested = [nested]
        text = evaluate("toJSON(v)", {"v": nested})
        assert isinstance(text, str)
        assert (text.count("["), text.count("]")) == (1_500, 1_500)

    @pytest.mark.parametrize("repeated", ["(", "!", "a.", "a[", "f(", "1==", "1&&", "'", "-", "{", "format('{0}',"])
    def test_text_of_the_longest_length_is_judged_at_once(self, repeated: str) -> None:
        text = (repeated * 21_000)[:20_999]

        def judge() -> None:
            with pytest.raises(ExpressionError):
                evaluate(text, {"a": 1})

        assert timeit.timeit(judge, number=1) < 2
