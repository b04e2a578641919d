"""Scalars: text, numbers, booleans, durations, conditions, any value."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from waterflow_dsl._amount import parse_memory
from waterflow_dsl._codes import Code
from waterflow_dsl._convert._reader import UNSET, At, Reader
from waterflow_dsl._diagnostics import did_you_mean
from waterflow_dsl._duration import parse_duration
from waterflow_dsl._schema._types import Condition, Duration, Flag, Json, Memory, Number, Text
from waterflow_dsl._source import Mapping, Node, Scalar, Sequence
from waterflow_dsl.expressions import to_string


def read_text(reader: Reader, kind: Text, node: Node, at: At) -> Any:
    """Text; numbers and booleans become text as GitHub writes them."""
    if isinstance(node, Scalar) and node.value is None and reader.github and not (kind.filled or kind.options):
        return ""
    if not isinstance(node, Scalar) or node.value is None:
        return reader.wrong_type(node, at, "text" if kind.what == "text" else kind.what)
    if reader.template(node, at):
        return UNSET if at.field.place is None else node.value
    if kind.filled and node.value == "":
        reader.report(Code.EMPTY_VALUE, node, f"`{_name(at)}` is empty; it takes {kind.what}", at.path)
        return UNSET
    text = node.value if isinstance(node.value, str) else as_text(node.value)
    if kind.options and text not in kind.options:
        return _not_an_option(reader, kind.options, node, at, text)
    if kind.pattern and not _compiled(kind.pattern).fullmatch(text):
        reader.report(Code.NOT_A_NAME, node, f"`{_short(text)}` is not {kind.what}", at.path, _name_hint(kind.what))
        return UNSET
    return text


def _name(at: At) -> str:
    return at.path.rpartition(".")[2]


def as_text(value: Any) -> str:
    """A scalar as text, in GitHub's way."""
    return to_string(float(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _not_an_option(reader: Reader, options: tuple[str, ...], node: Node, at: At, text: str) -> Any:
    name = at.path.rpartition(".")[2]
    near = reader.nearest(text, options)
    listed = ", ".join(options)
    message = f"`{_short(text)}` is not possible for `{name}`: it is one of {listed}"
    reader.report(Code.NOT_AN_OPTION, node, message, at.path, did_you_mean(near))
    return UNSET


def _name_hint(what: str) -> str | None:
    if "number" in what:
        return "for example `5` or `25%`"
    if "user's" in what:
        return "for example `deploy`"
    if "secret is read" in what:
        return "for example `env:DB_PASSWORD`"
    return "start with a letter; go on with letters, digits, `_` and `-`"


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def read_number(reader: Reader, kind: Number, node: Node, at: At) -> Any:
    """A number within bounds, or a template."""
    if reader.template(node, at):
        return UNSET if at.field.place is None else node.value  # type: ignore[union-attr]
    what = "a whole number" if kind.integer else "a number"
    if not isinstance(node, Scalar) or isinstance(node.value, (bool, str)) or node.value is None:
        return reader.wrong_type(node, at, what)
    value = node.value
    if kind.integer and value != int(value):
        name = at.path.rpartition(".")[2]
        reader.report(Code.WRONG_TYPE, node, f"`{name}` takes a whole number, not {node.text}", at.path)
        return UNSET
    low, high = kind.minimum, kind.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {low:g}" if high is None else f"between {low or 0:g} and {high:g}"
        name = at.path.rpartition(".")[2]
        reader.report(Code.OUT_OF_RANGE, node, f"`{name}` is {value:g}; it must be {bounds}", at.path)
        return UNSET
    return int(value) if kind.integer else float(value)


def read_flag(reader: Reader, _kind: Flag, node: Node, at: At) -> Any:
    """A boolean, or a template."""
    if reader.template(node, at):
        return UNSET if at.field.place is None else node.value  # type: ignore[union-attr]
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    if isinstance(node, Scalar) and str(node.value).lower() in _WORDS_OF_OLD:
        name = at.path.rpartition(".")[2]
        message = f"`{name}` takes true or false; `{node.text}` is text in YAML 1.2"
        hint = f"write `{_WORDS_OF_OLD[str(node.value).lower()]}`"
        reader.report(Code.WRONG_TYPE, node, message, at.path, hint)
        return UNSET
    return reader.wrong_type(node, at, "true or false")


_WORDS_OF_OLD = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "no": "false",
    "off": "false",
    "n": "false",
    "true": "true",
    "false": "false",
}


def read_duration(reader: Reader, kind: Duration, node: Node, at: At) -> Any:
    """Seconds, or a template (multiplied out for minutes)."""
    if reader.template(node, at):
        return UNSET if at.field.place is None else node.value  # type: ignore[union-attr]
    if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
        return reader.wrong_type(node, at, "a duration such as `10m` or a number of seconds")
    if kind.unit != 1.0 and isinstance(node.value, str):
        return reader.wrong_type(node, at, "a number of minutes")
    if reader.github and not isinstance(node.value, str):
        return float(node.value)
    try:
        seconds = parse_duration(node.value)
        return seconds if kind.unit == 1.0 else parse_duration(seconds * kind.unit)
    except ValueError as error:
        hint = "durations are `500ms`, `30s`, `10m`, `2h`, `1d`, `1h30m` or a number of seconds"
        reader.report(Code.NOT_A_DURATION, node, str(error), at.path, hint)
        return UNSET


def read_memory(reader: Reader, _kind: Memory, node: Node, at: At) -> Any:
    """Bytes, or a template."""
    if reader.template(node, at):
        return UNSET if at.field.place is None else node.value  # type: ignore[union-attr]
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return reader.wrong_type(node, at, "an amount of memory such as `512MiB`")
    try:
        return parse_memory(node.value)
    except ValueError as error:
        reader.report(Code.NOT_AN_AMOUNT, node, str(error), at.path, "units are KiB, MiB, GiB and TiB")
        return UNSET


def read_condition(reader: Reader, _kind: Condition, node: Node, at: At) -> Any:
    """The text of a condition as written; the analysis reads the expression."""
    if isinstance(node, Scalar) and node.value is None and reader.github:
        return ""
    if not isinstance(node, Scalar) or node.value is None:
        return reader.wrong_type(node, at, "an expression")
    reader.condition(node, at)
    return node.value if isinstance(node.value, str) else as_text(node.value)


def read_json(reader: Reader, kind: Json, node: Node, at: At) -> Any:
    """Any value as plain data; ``scalar``: one value, lists and mappings are refused."""
    if isinstance(node, Scalar):
        reader.template(node, at)
        return node.value
    if kind.scalar:
        return reader.wrong_type(node, at, "a single value")
    if isinstance(node, Sequence):
        return [read_json(reader, kind, item, at.item(index)) for index, item in enumerate(node.items)]
    return _read_mapping(reader, kind, node, at)


def _read_mapping(reader: Reader, kind: Json, node: Mapping, at: At) -> dict[str, Any]:
    return {key: read_json(reader, kind, entry.value, at.below(key)) for key, entry in node.entries.items()}


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
