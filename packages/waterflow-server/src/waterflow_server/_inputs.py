"""What a run gets, held against what its workflow declares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from waterflow_dsl.plan import InputPlan, InputType, SecretPlan

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


def convert_inputs(
    declared: Mapping[str, InputPlan], given: Mapping[str, Any], whose: str = "the workflow"
) -> tuple[dict[str, Any], list[FieldError]]:
    """The inputs as their declared types, and what is wrong with them. Defaults are left to the run.

    Text is taken for a number, a boolean or JSON too, since command lines and addresses have nothing else.
    """
    errors = list(_undeclared("inputs", given, declared, whose))
    values: dict[str, Any] = {}
    for name, each in declared.items():
        if name in given and given[name] is not None:
            try:
                values[name] = _value(each, given[name])
            except InvalidValue as error:
                errors.append(_error(f"inputs.{name}", "input-type", f"input {name!r} {error}"))
        elif each.required and each.default is None:
            errors.append(_error(f"inputs.{name}", "input-missing", f"input {name!r} is required{_purpose(each)}"))
    return values, errors


def check_secrets(declared: Mapping[str, SecretPlan], given: Mapping[str, str]) -> list[FieldError]:
    """Secrets that are missing, and those that the workflow does not know."""
    missing = [
        _error(f"secrets.{name}", "secret-missing", f"secret {name!r} is required")
        for name, each in declared.items()
        if each.required and each.source is None and not given.get(name)
    ]
    return [*missing, *_undeclared("secrets", given, declared)]


def check_vars(declared: Mapping[str, Any], texts: Collection[str], given: Mapping[str, Any]) -> list[FieldError]:
    """Variables that nothing in the files can mean. One that is used without being declared counts as declared."""
    unknown = {name: value for name, value in given.items() if name not in declared}
    stray = {name: value for name, value in unknown.items() if not any(name in text for text in texts)}
    return list(_undeclared("vars", stray, declared))


def _undeclared(
    kind: str, given: Mapping[str, Any], declared: Mapping[str, Any], whose: str = "the workflow"
) -> Iterator[FieldError]:
    word = {"inputs": "input", "secrets": "secret", "vars": "variable"}[kind]
    for name in given:
        if name not in declared:
            message = f"{whose} has no {word} {name!r}{did_you_mean(name, declared)}"
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
