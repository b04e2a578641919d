"""Matrix expansion: the examples of GitHub's page "Running variations of jobs in a workflow", and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waterflow_dsl import check
from waterflow_server.engine._values import StepFailure
from waterflow_server.engine.expansion._matrix import MAX_INSTANCES, expand_matrix

ENDLESS = dict.fromkeys("abcdefgh", [0] * 20)


class TestAxes:
    def test_every_combination_in_written_order(self):
        assert expand_matrix({"os": ["a", "b"], "version": [1, 2]}, None, None) == [
            {"os": "a", "version": 1},
            {"os": "a", "version": 2},
            {"os": "b", "version": 1},
            {"os": "b", "version": 2},
        ]

    def test_no_axes_and_no_include_is_no_instance(self):
        assert expand_matrix(None, None, None) == []


class TestInclude:
    FRUIT = {"fruit": ["apple", "pear"], "animal": ["cat", "dog"]}

    def test_extends_what_it_does_not_change_and_adds_what_it_does(self):
        include = [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ]
        assert expand_matrix(self.FRUIT, include, None) == [
            {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
            {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
            {"fruit": "pear", "animal": "cat", "color": "pink"},
            {"fruit": "pear", "animal": "dog", "color": "green"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ]

    def test_alone_gives_one_instance_an_entry(self):
        assert expand_matrix({"include": [{"site": "production"}, {"site": "staging"}]}, None, None) == [
            {"site": "production"},
            {"site": "staging"},
        ]


class TestExclude:
    def test_a_partial_match_is_enough(self):
        matrix = {"os": ["a", "b"], "version": [1, 2]}
        assert expand_matrix(matrix, None, [{"os": "a", "version": 1}, {"os": "b"}]) == [{"os": "a", "version": 2}]

    def test_include_may_add_again_what_exclude_took(self):
        assert expand_matrix({"os": ["a"]}, [{"os": "a"}], [{"os": "a"}]) == [{"os": "a"}]


class TestRefused:
    @pytest.mark.parametrize(
        ("matrix", "include", "message"),
        [
            ({"os": "a"}, None, "strategy.matrix.os: must be a list with at least one value"),
            ({"os": []}, None, "strategy.matrix.os: must be a list with at least one value"),
            ([1], None, "strategy.matrix: must be a mapping, not list"),
            ({"os": ["a"]}, {"os": "b"}, "strategy.include: must be a list"),
            ({"os": ["a"]}, ["b"], "strategy.include[0]: must be a mapping, not str"),
            ({"n": list(range(257))}, None, "strategy.matrix: 257 combinations; 256 are allowed"),
            (ENDLESS, None, "strategy.matrix: 25,600,000,000 combinations; 256 are allowed"),
            (
                ENDLESS,
                [{"a": 1}],
                "strategy.matrix: 25,600,000,000 combinations are too many to compare with include and exclude",
            ),
        ],
    )
    def test_with_a_sentence(self, matrix, include, message):
        with pytest.raises(StepFailure) as refused:
            expand_matrix(matrix, include, None)
        assert refused.value.error.message == message

    def test_the_limit_itself_is_allowed(self):
        assert len(expand_matrix({"n": list(range(MAX_INSTANCES))}, None, None)) == MAX_INSTANCES


class TestLimit:
    def test_is_counted_after_exclude(self):
        assert len(expand_matrix({"n": list(range(257))}, None, [{"n": 0}])) == 256

    def test_is_what_the_file_says(self):
        assert len(expand_matrix({"n": list(range(300))}, None, None, 300)) == 300
        with pytest.raises(StepFailure) as refused:
            expand_matrix({"n": [1, 2, 3]}, None, None, 2)
        assert refused.value.error.message == "strategy.matrix: 3 combinations; 2 are allowed"


_VALUES = st.sampled_from([1, 2, "a", True])
_ENTRY = st.dictionaries(st.sampled_from("xyz"), _VALUES, min_size=1, max_size=2)


class TestAgainstTheLanguage:
    """What validation refuses as too large is what a run refuses."""

    @given(
        axes=st.dictionaries(st.sampled_from("xy"), st.lists(_VALUES, min_size=1, max_size=3)),
        include=st.lists(_ENTRY, max_size=3),
        exclude=st.lists(_ENTRY, max_size=2),
        limit=st.integers(1, 6),
    )
    def test_both_count_alike(self, axes, include, exclude, limit):
        strategy = {"matrix": {**axes, "include": include, "exclude": exclude}, "max-instances": limit}
        file = json.dumps({"jobs": {"a": {"strategy": strategy, "steps": [{"run": "x"}]}}})
        refused = [each.code for each in check(file).diagnostics] == ["WF1117"]
        assert refused != self._fits(strategy["matrix"], limit)

    def _fits(self, matrix, limit):
        try:
            expand_matrix(matrix, None, None, limit)
        except StepFailure:
            return False
        return True
