"""Resolves the templates and conditions of a plan against the contexts of this instant."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from waterflow_dsl import parse_duration, parse_memory
from waterflow_dsl.expressions import ExpressionError, evaluate, interpolate, is_truthy, to_string
from waterflow_sdk.wire import ErrorInfo

from ._json import is_list, is_mapping

_SAFE_INTEGER = 2**53 - 1  # beyond it a float no longer names one integer (ECMA-262, Number.MAX_SAFE_INTEGER)

WHOLE_MAP = "${{}}"
"""The only key of a map that is written as one expression, such as ``env: ${{ … }}`` (convention of the plan)."""

Functions = Mapping[str, Callable[..., object]]


class StepFailure(Exception):
    """Something in the interpreter itself fails the step or job at hand; carries the error to show."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.error = ErrorInfo(code=code, message=message, details=details)


class Values:
    """Evaluates with fixed contexts and functions. Every failure is a :class:`StepFailure` that names the field."""

    def __init__(self, contexts: Mapping[str, Any], functions: Functions) -> None:
        self.contexts = contexts
        self._functions = functions

    def condition(self, expression: str, field: str = "if") -> bool:
        """Whether a bare expression is truthy."""
        try:
            return is_truthy(evaluate(expression, self.contexts, functions=self._functions))
        except ExpressionError as error:
            raise _failed(field, expression, error) from error

    def resolve(self, template: Any, field: str) -> Any:
        """The JSON value of a template: strings interpolated, containers walked in their own order."""
        if isinstance(template, str):
            return self._string(template, field) if "${{" in template else template
        if is_mapping(template):
            if template.keys() == {WHOLE_MAP}:
                return self._mapping(template[WHOLE_MAP], field)
            return {key: self.resolve(value, f"{field}.{key}") for key, value in template.items()}
        if is_list(template):
            return [self.resolve(value, f"{field}[{index}]") for index, value in enumerate(template)]
        return template

    def text(self, template: Any, field: str) -> str:
        """The template as text, by the rules of expressions (null is empty, 1.0 is ``1``)."""
        value = self.resolve(template, field)
        return value if isinstance(value, str) else to_string(value)

    def texts(self, templates: Mapping[str, Any], field: str) -> dict[str, str]:
        """A map of texts, such as ``env``."""
        resolved = self.resolve(dict(templates), field)
        return {key: value if isinstance(value, str) else to_string(value) for key, value in resolved.items()}

    def seconds(self, template: Any, field: str) -> float | None:
        """A duration in seconds; None stays None."""
        value = self.resolve(template, field)
        if value is None:
            return None
        try:
            return parse_duration(value)
        except ValueError as error:
            raise StepFailure("invalid-value", f"{field}: {error}") from error

    def memory(self, template: Any, field: str) -> int | None:
        """An amount of memory in bytes; None stays None."""
        value = self.resolve(template, field)
        if value is None or (isinstance(value, int) and not isinstance(template, str)):
            return value
        try:
            return parse_memory(value)
        except ValueError as error:
            raise StepFailure("invalid-value", f"{field}: {error}") from error

    def flag(self, template: Any, field: str) -> bool:
        """A boolean; texts must say true or false."""
        value = self.resolve(template, field)
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if isinstance(value, bool):
            return value
        raise StepFailure("invalid-value", f"{field}: must be true or false, not {value!r}")

    def count(self, template: Any, field: str, *, least: int = 1) -> int:
        """A whole number of at least ``least``."""
        value = self.resolve(template, field)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise StepFailure("invalid-value", f"{field}: must be a whole number of at least {least}, not {value!r}")
        return value

    def number(self, template: Any, field: str, *, least: float) -> float:
        """A finite number of at least ``least``."""
        value = self.resolve(template, field)
        try:
            number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if not least <= number < math.inf:
            raise StepFailure("invalid-value", f"{field}: must be a number of at least {least:g}, not {value!r}")
        return number

    def _mapping(self, template: Any, field: str) -> dict[str, Any]:
        value = self.resolve(template, field)
        if not is_mapping(value):
            raise StepFailure("invalid-value", f"{field}: must be a mapping, not {type(value).__name__}")
        return value

    def _string(self, template: str, field: str) -> Any:
        try:
            return plain(interpolate(template, self.contexts, functions=self._functions))
        except ExpressionError as error:
            raise _failed(field, template, error) from error


def plain(value: Any) -> Any:
    """Numbers of expressions are floats; whole ones leave the interpreter as integers, so that 7 stays 7 in JSON."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= _SAFE_INTEGER else value
    if is_mapping(value):
        return {key: plain(item) for key, item in value.items()}
    if is_list(value):
        return [plain(item) for item in value]
    return value


def _failed(field: str, source: str, error: ExpressionError) -> StepFailure:
    return StepFailure(
        "expression", f"{field}: {error.message}", expression=source, position=error.position, kind=error.kind
    )
