"""A node that is an executable: JSON on its standard input, its answer on the last line of its standard output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from waterflow_sdk.node import InvalidOutput, Line, Node, NodeContext, NodeError, ProcessFailed, TextStream

_LONGEST = 1024 * 1024
"""Characters of an answer; outputs take 64 KiB at most anyway."""


class _Failure(msgspec.Struct, frozen=True, kw_only=True):
    message: str
    code: str = "node-error"
    retryable: bool = False
    details: dict[str, Any] = {}


class _Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    outputs: dict[str, Any] = {}
    error: _Failure | None = None


class CommandNode(Node):
    """Base of the nodes that manifests describe."""

    command: ClassVar[tuple[str, ...]] = ()
    confinable = True

    async def execute(self, ctx: NodeContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Runs the command in the workspace. What it prints before its answer goes to the log as it comes."""
        for name in self.secret_inputs:
            for value in _texts(inputs.get(name)):
                ctx.add_mask(value)
        output = LastLine(ctx.stdout)
        result = await ctx.run_process(self.command, stdin=_question(ctx, inputs), on_stdout=output.feed)
        answer = self._answer(output.take(), ctx)
        if answer.error:
            error = answer.error
            raise NodeError(
                error.message,
                code=error.code,
                retryable=error.retryable,
                details=error.details,
                exit_code=result.exit_code or None,
            )
        if not result.ok:
            for name, value in answer.outputs.items():
                ctx.set_output(name, value)
            raise ProcessFailed(
                f"{self.name} ended with exit code {result.exit_code} and gave no error", exit_code=result.exit_code
            )
        return answer.outputs

    def _answer(self, last: str, ctx: NodeContext) -> _Answer:
        if not last.lstrip().startswith("{"):
            if last:
                ctx.stdout.write(last + "\n")
            return _Answer()
        try:
            return msgspec.json.decode(last, type=_Answer)
        except msgspec.DecodeError as error:
            ctx.stdout.write(last + "\n")
            raise InvalidOutput(
                f"the last line that {self.name} printed is no answer: {error}; "
                'it must be {"outputs": {…}} or {"error": {"message": …}} on one line'
            ) from None


def _question(ctx: NodeContext, inputs: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(
        {
            "inputs": inputs,
            "env": dict(ctx.env),
            "workspace": str(ctx.workspace),
            "temp": str(ctx.temp),
            "run": ctx.run,
            "agent": ctx.agent,
            "attempt": ctx.attempt,
        }
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif value is not None:
        yield msgspec.json.encode(value).decode()


class LastLine:
    """Writes lines to a stream, but holds the last one back until it is known to be no answer."""

    def __init__(self, stream: TextStream) -> None:
        self._stream = stream
        self._held: list[str] = []
        self._size = 0
        self._open = False

    def feed(self, lines: Sequence[Line]) -> None:
        """Lines as they come; a long one comes in parts. Empty lines behind the answer do not hide it."""
        for line in lines:
            if not self._open and not line.text.strip():
                continue
            if not self._open:
                self._release("\n")
            self._held.append(line.text)
            self._size += len(line.text)
            self._open = line.partial
            if self._size > _LONGEST:
                self._release("" if line.partial else "\n")

    def take(self) -> str:
        """The line that was held back, and nothing more."""
        held, self._held, self._size = "".join(self._held), [], 0
        return held

    def _release(self, end: str) -> None:
        if self._held:
            self._stream.write("".join(self._held) + end)
        self._held, self._size = [], 0
