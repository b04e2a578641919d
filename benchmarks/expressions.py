"""Evaluations of simple expressions a second, once they are parsed: what `if` and `${{ }}` of a run cost."""

from __future__ import annotations

import sys
import timeit

from waterflow_dsl import evaluate

from ._report import Figure, Report

ROUNDS = 20_000
REPEATS = 9
BAR = 200_000
CONTEXTS = {
    "vars": {"region": "eu", "size": 3, "hosts": ["a", "b"]},
    "needs": {"build": {"result": "success", "outputs": {"version": "1.2"}}},
}
SIMPLE = (
    "vars.region",
    "vars.region == 'EU'",
    "vars.size > 2",
    "needs.build.outputs.version",
    "needs.build.result == 'success' && vars.size",
)
OTHERS = ("contains(vars.hosts, 'b')", "format('{0}-{1}', vars.region, vars.size)", "needs.*.result")
"""Without a bar: they show what a call and a filter cost beside the simple ones."""


def evaluations_per_second(text: str) -> float:
    """The best of several rounds, because whatever else runs on the machine only ever slows one down."""
    evaluate(text, CONTEXTS)  # parsed here
    return ROUNDS / min(timeit.repeat(lambda: evaluate(text, CONTEXTS), number=ROUNDS, repeat=REPEATS))


def main() -> int:
    report = Report("expressions: evaluate() of an expression that was parsed before")
    for text in SIMPLE:
        report.figure(Figure(name=text, value=evaluations_per_second(text), unit="/s", bar=BAR, more_is_better=True))
    for text in OTHERS:
        report.figure(Figure(name=text, value=evaluations_per_second(text), unit="/s", more_is_better=True))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
