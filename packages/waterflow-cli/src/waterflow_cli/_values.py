"""Variables, inputs, labels and secrets from the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
import msgspec

from ._errors import CliError

Command = TypeVar("Command", bound=Callable[..., Any])

_SECRET_HINT = (
    "write --secret NAME to take it from the environment variable NAME, NAME=env:OTHER from another one, "
    "or NAME=- from standard input"
)


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """What a run gets from the command line."""

    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    labels: list[str] = []


def value_options(command: Command) -> Command:
    """``--var --input --secret --label``, given to the command as ``values``."""

    def collect(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> None:
        ctx.meta.setdefault("waterflow.values", {})[parameter.name] = given

    for name, metavar, what in (
        ("label", "TEXT", "A label of the run, to find it again."),
        ("secret", "NAME[=env:VAR|=-]", "A secret: from the environment variable NAME, from VAR, or from stdin."),
        ("input", "NAME=VALUE", "An input of the workflow. NAME:=JSON gives a number, list or mapping."),
        ("var", "NAME=VALUE", "A variable of the workflow. NAME:=JSON gives a number, list or mapping."),
    ):
        option = click.option(
            f"--{name}", multiple=True, metavar=metavar, help=what, expose_value=False, callback=collect
        )
        command = option(command)
    return command


def given_values() -> Values:
    """The values of this call. Raises :class:`CliError`."""
    given: dict[str, tuple[str, ...]] = click.get_current_context().meta.get("waterflow.values", {})
    return Values(
        vars=pairs("--var", given.get("var", ())),
        inputs=pairs("--input", given.get("input", ())),
        secrets=secrets(given.get("secret", ())),
        labels=list(given.get("label", ())),
    )


def pairs(option: str, given: Iterable[str]) -> dict[str, Any]:
    """``NAME=VALUE`` (text) and ``NAME:=JSON``, as a mapping."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        typed = name.endswith(":")
        name = name.removesuffix(":")
        if not equals or not name:
            raise CliError(f"{option} {text!r} is not of the form NAME=VALUE")
        if name in found:
            raise CliError(f"{option} {name} is given twice")
        found[name] = _json(option, name, value) if typed else value
    return found


def _json(option: str, name: str, value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except msgspec.MsgspecError as error:
        raise CliError(f"{option} {name}:= is not JSON: {error}", f"write {name}={value} for text") from None


def secrets(given: Iterable[str]) -> dict[str, str]:
    """Secrets by name. A value itself is refused: every user of the machine could read it in the process list."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, source = text.partition("=")
        if not name:
            raise CliError(f"--secret {text!r} names no secret", _SECRET_HINT)
        if name in found:
            raise CliError(f"--secret {name} is given twice")
        found[name] = _secret(name, source if equals else f"env:{name}")
    return found


def _secret(name: str, source: str) -> str:
    if source == "-":
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    kind, _, variable = source.partition(":")
    if kind != "env" or not variable:
        raise CliError(
            f"the value of the secret {name} must not be on the command line, where every user of this machine sees it",
            _SECRET_HINT,
        )
    value = os.environ.get(variable)
    if value is not None:
        return value
    if variable == name and sys.stdin.isatty():
        return str(click.prompt(f"Secret {name}", hide_input=True, err=True))
    raise CliError(f"the secret {name} is not set: there is no environment variable {variable}", _SECRET_HINT)
