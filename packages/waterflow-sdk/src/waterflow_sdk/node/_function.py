"""Nodes from plain functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import new_class
from typing import Any, TypeVar, get_type_hints

from ..wire import INTERFACE_VERSION, NodeExample
from ._data import NodeInput, NodeOutput
from ._errors import InvalidNode
from ._node import Node

F = TypeVar("F", bound=Callable[..., Any])


def node(
    *,
    name: str,
    version: str,
    description: str = "",
    interface: str = INTERFACE_VERSION,
    capabilities: Sequence[str] = (),
    retry_safe: bool = False,
    resumable: bool = False,
    examples: Sequence[NodeExample] = (),
) -> Callable[[F], F]:
    """Make a node of a function. Its parameters after ``ctx`` are the inputs, each with a type::

        @node(name="demo/greet", version="1.0.0")
        async def greet(ctx: NodeContext, name: str, times: int = 1) -> Greeting:
            \"\"\"Say hello.\"\"\"

    Or there is one parameter whose type is a :class:`NodeInput`. The result is a :class:`NodeOutput`, None, or a
    mapping of outputs. The function stays a function, and can be called as one; an entry point may name it as a node.

    Raises:
        InvalidNode: A parameter or the result has no type, or one that does not fit.
    """

    metadata: dict[str, Any] = {
        "name": name,
        "version": version,
        "description": description,
        "interface": interface,
        "capabilities": tuple(capabilities),
        "retry_safe": retry_safe,
        "resumable": resumable,
        "examples": tuple(examples),
    }

    def decorate(function: F) -> F:
        function.__waterflow_node__ = _class(function, metadata)  # pyright: ignore[reportFunctionMemberAccess]
        return function

    return decorate


def _class(function: Callable[..., Any], metadata: dict[str, Any]) -> type[Node]:
    name = metadata["name"]
    hints = _hints(name, function)
    data, call = _inputs(name, function, hints)
    members: dict[str, Any] = {
        **metadata,
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "Input": data,
        "execute": _execute(function, call),
    }
    if output := _output(name, hints.get("return")):
        members["Output"] = output
    return type(function.__name__, (Node,), members)


def _hints(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise InvalidNode(name, [f"a type of its parameters is not known at import: {error}"]) from error


_Call = Callable[[Any], dict[str, Any]]


def _inputs(name: str, function: Callable[..., Any], hints: Mapping[str, Any]) -> tuple[type[NodeInput], _Call]:
    """The Input class, and how its values become the function's keyword arguments."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise InvalidNode(name, ["its first parameter must be the context (ctx)"])
    rest = parameters[1:]
    if len(rest) == 1 and _is(hints.get(rest[0].name), NodeInput):
        return hints[rest[0].name], lambda inputs: {rest[0].name: inputs}
    members: dict[str, Any] = {"__module__": function.__module__, "__annotations__": {}}
    for parameter in rest:
        if parameter.name not in hints or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InvalidNode(name, [f"its parameter {parameter.name!r} needs a type and must be a single value"])
        members["__annotations__"][parameter.name] = hints[parameter.name]
        if parameter.default is not parameter.empty:
            members[parameter.name] = parameter.default
    data = new_class("Input", (NodeInput,), exec_body=lambda namespace: namespace.update(members))
    return data, lambda inputs: {parameter.name: getattr(inputs, parameter.name) for parameter in rest}


def _output(name: str, hint: Any) -> type[NodeOutput] | None:
    if _is(hint, NodeOutput):
        return hint
    if hint in (None, type(None), Any) or _is(getattr(hint, "__origin__", hint), Mapping):
        return None
    raise InvalidNode(name, ["it must return a NodeOutput, a mapping of outputs, or None"])


def _is(hint: Any, base: type) -> bool:
    return isinstance(hint, type) and issubclass(hint, base)


def _execute(function: Callable[..., Any], call: _Call) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        async def execute(_self: Node, ctx: Any, inputs: Any) -> Any:
            return await function(ctx, **call(inputs))

        return execute

    def execute_blocking(_self: Node, ctx: Any, inputs: Any) -> Any:
        return function(ctx, **call(inputs))

    return execute_blocking
