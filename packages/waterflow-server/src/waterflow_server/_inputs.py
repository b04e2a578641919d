"""What a run gets, held against what its workflow declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from waterflow_dsl import Plan
from waterflow_dsl.plan import InputPlan, InputType

from ._nearest import did_you_mean

FieldError = dict[str, Any]
"""``path`` (``inputs.version``), ``code`` and ``message``."""

_WORDS = {
    InputType.STRING: "text",
    InputType.NUMBER: "a number",
    InputType.BOOLEAN: "true or false",
    InputType.GROUP: "the name of a group",
    InputType.AGENT: "the id or name of an agent",
}


class InvalidValue(ValueError):
    """A value is not of its input's type; the text says what it has to be."""


def convert_inputs(plan: Plan, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The inputs as their declared types, and what is wrong with them. Defaults are left to the run.

    Text is taken for a number, a boolean or JSON too, since command lines and addresses have nothing else.
    """
    errors = list(_undeclared("inputs", given, plan.inputs))
    values: dict[str, Any] = {}
    for name, declared in plan.inputs.items():
        if name in given and given[name] is not None:
            try:
                values[name] = _value(declared, given[name])
            except InvalidValue as error:
                errors.append(_error(f"inputs.{name}", "input-type", f"input {name!r} {error}"))
        elif declared.required and declared.default is None:
            errors.append(_error(f"inputs.{name}", "input-missing", f"input {name!r} is required{_purpose(declared)}"))
    return values, errors


def check_secrets(plan: Plan, given: Mapping[str, str]) -> list[FieldError]:
    """Secrets that are missing, and those that the workflow does not know."""
    missing = [
        _error(f"secrets.{name}", "secret-missing", f"secret {name!r} is required")
        for name, declared in plan.secrets.items()
        if declared.required and not given.get(name)
    ]
    return [*missing, *_undeclared("secrets", given, plan.secrets)]


def check_vars(plan: Plan, text: str, given: Mapping[str, Any]) -> list[FieldError]:
    """Variables that nothing in the file can mean. One that is used without being declared counts as declared."""
    stray = {name: value for name, value in given.items() if name not in plan.vars and name not in text}
    return list(_undeclared("vars", stray, plan.vars))


def _undeclared(kind: str, given: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[FieldError]:
    word = {"inputs": "input", "secrets": "secret", "vars": "variable"}[kind]
    for name in given:
        if name not in declared:
            message = f"the workflow has no {word} {name!r}{did_you_mean(name, declared)}"
            yield _error(f"{kind}.{name}", f"{word}-unknown", message)


def _value(declared: InputPlan, value: Any) -> Any:
    value = _typed(declared.type, value)
    if declared.options and value not in declared.options:
        options = ", ".join(str(option) for option in declared.options)
        raise InvalidValue(f"is {value!r}; it has to be one of {options}")
    return value


def _typed(kind: InputType, value: Any) -> Any:
    match kind, value:
        case InputType.JSON, str():
            return _from_json(value)
        case (InputType.JSON, _) | (InputType.BOOLEAN, bool()):
            return value
        case (InputType.NUMBER, int() | float()) if not isinstance(value, bool):
            return value
        case InputType.NUMBER, str():
            return _number(value)
        case InputType.BOOLEAN, "true" | "false":
            return value == "true"
        case InputType.CHOICE, str() | int() | float():
            return value
        case ((InputType.STRING | InputType.GROUP | InputType.AGENT), str()):
            return value
        case InputType.STRING, int() | float() if not isinstance(value, bool):
            return str(value)
        case _:
            pass
    raise InvalidValue(f"is {value!r}; it has to be {_WORDS.get(kind, 'one of its options')}")


def _number(text: str) -> int | float:
    try:
        return msgspec.convert(text, int | float, strict=False)
    except msgspec.ValidationError:
        raise InvalidValue(f"is {text!r}; it has to be {_WORDS[InputType.NUMBER]}") from None


def _from_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text  # text is a JSON value too, when it came as one in a JSON body


def _purpose(declared: InputPlan) -> str:
    return f": {declared.description}" if declared.description else ""


def _error(path: str, code: str, message: str) -> FieldError:
    return {"path": path, "code": code, "message": message}
