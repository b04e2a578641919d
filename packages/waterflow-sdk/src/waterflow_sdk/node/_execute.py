"""One attempt of one step, from JSON inputs to JSON outputs or an error. What a host calls."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from ..wire import ErrorInfo
from ._errors import InvalidOutput, NodeError
from ._inputs import load_inputs
from ._node import Node, label
from ._outputs import dump_given, dump_outputs
from ._secret import Secret
from ._sound import cut, error_info, exit_code
from ._step import StepContext


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """How the node ended; everything in it is masked. ``error`` is None on success.

    ``exit_code`` is that of the process behind an error, 0 for a success that ran a process, else None.
    """

    outputs: dict[str, Any] = {}
    error: ErrorInfo | None = None
    exit_code: int | None = None


async def execute_step(node: type[Node], ctx: StepContext, values: Mapping[str, Any]) -> StepResult:
    """Parse the inputs, run the node, take its outputs. A failure is a result; only cancellation is raised.

    The context is closed at the end in any case: no process of the step is left.
    """
    try:
        outputs = await _run(node, ctx, values)
        result = StepResult(outputs=ctx.masker.mask_data(outputs), exit_code=0 if ctx.ran_process else None)
    except NodeError as error:
        result = _failed(node, ctx, error_info(error), exit_code(error))
    except BaseException as error:
        if _is_cancellation(error):
            raise
        ctx.stderr.write("".join(traceback.format_exception(error)))
        result = _failed(node, ctx, _crash(node, error), None)
    finally:
        await ctx.close()
    return result


def _is_cancellation(error: BaseException) -> bool:
    """Whether the step was cancelled, and its node did not just say so: whoever waits would wait for ever."""
    from asyncio import CancelledError

    from ._call import was_cancelled

    return isinstance(error, CancelledError) and was_cancelled()


async def _run(node: type[Node], ctx: StepContext, values: Mapping[str, Any]) -> dict[str, Any]:
    from ._call import call_node  # asyncio, which an import of the interface must not cost

    inputs = load_inputs(node, values)
    ctx.masker.add(*secrets_in(inputs))
    return dump_outputs(node, await call_node(node, ctx, inputs), ctx.outputs)


def _failed(node: type[Node], ctx: StepContext, error: ErrorInfo, exit_code: int | None) -> StepResult:
    """A failed step keeps the outputs that it gave before: what went wrong may be in them."""
    try:
        outputs = ctx.masker.mask_data(dump_given(node, ctx.outputs))
    except InvalidOutput:
        outputs: dict[str, Any] = {}
    details = ctx.masker.mask_data({"tail": ctx.tail, **error.details} if ctx.tail else error.details)
    masked = msgspec.structs.replace(error, message=ctx.masker.mask(error.message), details=details)
    return StepResult(outputs=outputs, error=masked, exit_code=exit_code)


def _crash(node: type[Node], error: BaseException) -> ErrorInfo:
    """A defect of the node: its traceback is in the step's log."""
    what = cut(f"{type(error).__name__}: {error}".rstrip(": "))
    return ErrorInfo(code="node-crashed", message=f"{label(node)} has a defect: {what}; see the step's log")


def secrets_in(value: Any) -> Iterator[str]:
    """Every secret text in parsed inputs."""
    if isinstance(value, Secret):
        yield str(cast("Secret[Any]", value).reveal())
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from secrets_in(getattr(value, field))
    elif isinstance(value, dict):
        for item in cast("dict[Any, Any]", value).values():
            yield from secrets_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in cast("list[Any]", value):
            yield from secrets_in(item)
