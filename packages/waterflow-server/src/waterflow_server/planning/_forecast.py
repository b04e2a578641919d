"""Templates and conditions before the run: the interpreter's own rules, with what is not known yet left open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waterflow_dsl.expressions import (
    ExpressionError,
    ExpressionSegment,
    PartHost,
    Unknown,
    evaluate_in_part,
    is_truthy,
    parse_expression,
    parse_template,
    references,
    to_string,
)
from waterflow_sdk.node import Masker
from waterflow_sdk.wire import PlannedCondition

from ..engine._json import is_list, is_mapping
from ..engine._values import StepFailure, Values, plain

MASK = "***"


class NotKnown(Exception):
    """A value that only the run will know; the text says what it depends on."""


class Forecast(Values):
    """Resolves like the interpreter; raises NotKnown where a value depends on what is not known yet.

    ``functions`` are those that the run answers, an :class:`Unknown` for what it cannot say yet; ``expected`` and
    ``hopes`` are contexts and functions of a run in which everything succeeds. ``masker`` masks what is never shown.
    """

    def __init__(
        self,
        contexts: Mapping[str, Any],
        functions: PartHost,
        *,
        expected: Mapping[str, Any] | None = None,
        hopes: PartHost | None = None,
        masker: Masker | None = None,
    ) -> None:
        super().__init__(contexts, {})
        self._part = functions
        self._expected = {**contexts, **(expected or {})}
        self._hopes = {**functions, **(hopes or {})}
        self._masker = masker or Masker()

    def condition(self, expression: str, field: str = "if") -> bool:
        """Whether a bare expression is truthy; raises NotKnown."""
        value = self._value(expression, field)
        if isinstance(value, Unknown) and value.truthy is None:
            raise NotKnown(value.why)
        return value.truthy is True if isinstance(value, Unknown) else is_truthy(value)

    def judge(self, expression: str) -> PlannedCondition:
        """What can be said of a condition now."""
        try:
            truth = self.condition(expression)
        except NotKnown as unknown:
            hoped = self._hoped(expression)
            # What it depends on even when all goes well says more than that something may fail.
            why = hoped.why if isinstance(hoped, Unknown) else str(unknown)
            expected = hoped.truthy if isinstance(hoped, Unknown) else is_truthy(hoped)
            return PlannedCondition(expression=expression, decision="unknown", expected=expected, why=why)
        except StepFailure as failure:
            return PlannedCondition(expression=expression, decision="unknown", why=failure.error.message)
        return PlannedCondition(expression=expression, decision="true" if truth else "false", expected=truth)

    def shown(self, template: Any) -> Any:
        """A template for people: what is not known stays as it was written, secrets are masked."""
        if isinstance(template, str):
            return self._mask(self._shown_text(template))
        if is_mapping(template):
            return {key: self.shown(value) for key, value in template.items()}
        return [self.shown(value) for value in template] if is_list(template) else template

    def _hoped(self, expression: str) -> object:
        try:
            return evaluate_in_part(expression, self._expected, self._hopes)
        except ExpressionError as error:
            return Unknown(error.message)

    def _value(self, expression: str, field: str) -> object:
        try:
            return evaluate_in_part(expression, self.contexts, self._part)
        except ExpressionError as error:
            raise StepFailure("expression", f"{field}: {error.message}", expression=expression) from error

    def _string(self, template: str, field: str) -> Any:
        whole = parse_template(template).whole
        if whole is not None:
            return plain(self._known(whole.expression, field))
        segments = parse_template(template).segments
        return "".join(
            to_string(self._known(each.expression, field)) if isinstance(each, ExpressionSegment) else each.text
            for each in segments
        )

    def _known(self, expression: str, field: str) -> object:
        value = self._value(expression, field)
        if isinstance(value, Unknown):
            raise NotKnown(value.why)
        return value

    def _shown_text(self, template: str) -> Any:
        if "${{" not in template:
            return template
        parsed = parse_template(template)
        if parsed.whole is not None:
            return plain(self._shown_value(parsed.whole.expression))
        parts = (
            to_string(self._shown_value(each.expression)) if isinstance(each, ExpressionSegment) else each.text
            for each in parsed.segments
        )
        return "".join(parts)

    def _shown_value(self, expression: str) -> object:
        try:
            return self._known(expression, "")
        except (NotKnown, StepFailure):
            secret = any(str(each.path[0]).lower() == "secrets" for each in references(parse_expression(expression)))
            return MASK if secret else f"${{{{ {expression} }}}}"

    def _mask(self, value: Any) -> Any:
        return self._masker.mask_data(value)
