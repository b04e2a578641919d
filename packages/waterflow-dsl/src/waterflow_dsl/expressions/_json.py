"""`toJSON` and `fromJSON`."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import cast

from waterflow_dsl.expressions._access import elements
from waterflow_dsl.expressions._coercion import kind_of, to_string
from waterflow_dsl.expressions._errors import RefusalError
from waterflow_dsl.expressions._frame import Frame

MAX_JSON_DEPTH = 100
"""Levels of arrays and objects that `fromJSON` reads."""

_ESCAPED = re.compile("[\x85\u2028\u2029\ud800-\udfff]")
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_REFUSED = "Error parsing JSON when evaluating fromJson"


def to_json(frame: Frame, value: object) -> str:
    """A value as JSON text, pretty-printed with two spaces; keys in their own order."""
    writer = _Writer(frame)
    writer.write(value)
    return "".join(writer.parts)


class _Writer:
    """Writes without recursion, so that no nesting of a context can exhaust the stack."""

    def __init__(self, frame: Frame) -> None:
        self.parts: list[str] = []
        self._frame = frame
        self._open: list[tuple[Iterator[tuple[str | None, object]], str]] = []

    def write(self, value: object) -> None:
        self._begin(value)
        first = bool(self._open)
        while self._open:
            entries, closing = self._open[-1]
            entry = next(entries, None)
            if entry is None:
                self._open.pop()
                self._emit("\n" + "  " * len(self._open) + closing)
                first = False
                continue
            self._emit(("\n" if first else ",\n") + "  " * len(self._open))
            key, item = entry
            if key is not None:
                self._emit(_quote(key) + ": ")
            first = self._begin(item)

    def _begin(self, value: object) -> bool:
        """Write a value, or the opening of a collection; whether a collection was opened."""
        kind = kind_of(value)
        if kind not in ("array", "object"):
            self._emit(_scalar(value))
            return False
        opening, closing = "[]" if kind == "array" else "{}"
        if not elements(value):
            self._emit(opening + closing)
            return False
        self._emit(opening)
        self._open.append((_entries(value), closing))
        return True

    def _emit(self, text: str) -> None:
        self._frame.charge(2 * len(text))
        self.parts.append(text)


def _entries(value: object) -> Iterator[tuple[str | None, object]]:
    if isinstance(value, Mapping):
        return ((to_string(key), item) for key, item in cast("Mapping[object, object]", value).items())
    return ((None, item) for item in elements(value))


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _quote(value)
    return "null" if value is None else to_string(value)


def _quote(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def from_json(frame: Frame, value: object) -> object:
    """The value that JSON text stands for; every number is a float.

    Raises:
        RefusalError: the text is empty, is not JSON, or nests too deep.
    """
    text = to_string(value)
    if not text.strip():
        raise RefusalError(f"{_REFUSED}: empty input")
    separators = text.count(",") + text.count("[") + text.count("{")
    frame.charge_text(len(text))
    frame.charge_items(3 * separators)
    if _depth(text) > MAX_JSON_DEPTH:
        raise RefusalError(f"{_REFUSED}: more than {MAX_JSON_DEPTH} levels deep")
    try:
        parsed = json.loads(text, parse_int=float, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        # Python's own wording differs between its versions.
        raise RefusalError(f"{_REFUSED}: not JSON at line {error.lineno}, column {error.colno}") from None
    return _without_lone_surrogates(parsed) if "\\ud" in text.lower() else parsed


def _without_lone_surrogates(value: object) -> object:
    """Half a character, which JSON can escape but UTF-8 cannot hold, becomes U+FFFD wherever it stands."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value).items()
        return {str(_without_lone_surrogates(key)): _without_lone_surrogates(item) for key, item in entries}
    return value


def _refuse_constant(name: str) -> object:
    """NaN and Infinity are not JSON, though Python's reader knows them."""
    raise RefusalError(f"{_REFUSED}: '{name}' is not a JSON value")


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return 0
    depth = deepest = 0
    for match in _STRUCTURE.finditer(text):
        if match[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in "]}":
            depth -= 1
    return deepest
