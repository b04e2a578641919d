"""Running one attempt of a node with real processes and real files, without an agent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict, Unpack

import msgspec

from ..node import StepContext, StepResult, execute_step, node_class
from ..wire import AgentRef, AttemptKey, ErrorInfo, LogRecord, LogStreamKind, NodeTask, RunInfo

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")  # what of the tests' own environment a node sees


class NodeResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an attempt. All text is masked, as a user would see it.

    ``env``, ``paths`` and ``masks`` are what later steps of the job would get; ``error`` is None on success.
    """

    outputs: dict[str, Any]
    error: ErrorInfo | None
    exit_code: int | None
    records: list[LogRecord]
    env: dict[str, str | None]
    paths: list[str]
    masks: list[str]

    @property
    def ok(self) -> bool:
        """Whether the node succeeded."""
        return self.error is None

    @property
    def stdout(self) -> str:
        """Standard output, lines joined by LF."""
        return _text(self.records, LogStreamKind.STDOUT)

    @property
    def stderr(self) -> str:
        """Standard error, lines joined by LF."""
        return _text(self.records, LogStreamKind.STDERR)

    @property
    def events(self) -> list[LogRecord]:
        """Progress, annotations and groups."""
        return [record for record in self.records if record.stream is LogStreamKind.EVENT]


def _text(records: list[LogRecord], stream: LogStreamKind) -> str:
    chosen = [record for record in records if record.stream is stream]
    return "".join(record.text if record.partial else record.text + "\n" for record in chosen).removesuffix("\n")


class RunOptions(TypedDict, total=False):
    """What :func:`run_node_async` takes beside the node and its inputs."""

    env: Mapping[str, str] | None
    paths: Sequence[str]
    secrets: Mapping[str, str] | None
    workspace: Path | None
    attempt: int
    kill_grace: float
    on_record: Callable[[LogRecord], None] | None


def run_node(node: object, inputs: Mapping[str, Any] | None = None, **options: Unpack[RunOptions]) -> NodeResult:
    """Run a node to its end; takes what :func:`run_node_async` takes. Not for use inside a running event loop."""
    return asyncio.run(run_node_async(node, inputs, **options))


async def run_node_async(
    node: object,
    inputs: Mapping[str, Any] | None = None,
    *,
    env: Mapping[str, str] | None = None,
    paths: Sequence[str] = (),
    secrets: Mapping[str, str] | None = None,
    workspace: Path | None = None,
    attempt: int = 1,
    kill_grace: float = 2.0,
    on_record: Callable[[LogRecord], None] | None = None,
) -> NodeResult:
    """Run one attempt of a node. Cancel the awaiting task to test what the node does when it is cancelled.

    Args:
        node: A ``Node`` subclass or a decorated function.
        inputs: Its inputs as a workflow would give them (JSON, kebab-case names).
        env: Environment of the step.
        paths: Directories in front of ``PATH``.
        secrets: Secrets by name.
        workspace: Directory of the job; a temporary one by default, which is removed.
        attempt: Number of the attempt, from 1.
        kill_grace: Seconds between SIGTERM and SIGKILL.
        on_record: Called with each log record as it appears.
    """
    found = node_class(node)
    task = _task(found.name, dict(inputs or {}), dict(env or {}), list(paths), dict(secrets or {}), attempt, kill_grace)
    records = _Records(on_record)
    with ExitStack() as stack:
        temp = Path(stack.enter_context(TemporaryDirectory(prefix="waterflow-temp-")))
        place = workspace or Path(stack.enter_context(TemporaryDirectory(prefix="waterflow-workspace-")))
        base = {name: os.environ[name] for name in _KEPT if name in os.environ}
        ctx = StepContext(task=task, workspace=place, make_temp=lambda: temp, sink=records.take, base_env=base)
        return _result(await execute_step(found, ctx, task.inputs), ctx, records.taken)


class _Records:
    """The log of an attempt."""

    def __init__(self, on_record: Callable[[LogRecord], None] | None) -> None:
        self.taken: list[LogRecord] = []
        self._on_record = on_record

    def take(self, batch: Sequence[LogRecord]) -> None:
        for record in batch:
            self.taken.append(record)
            if self._on_record:
                self._on_record(record)


def _task(
    node: str,
    inputs: dict[str, Any],
    env: dict[str, str],
    paths: list[str],
    secrets: dict[str, str],
    attempt: int,
    kill_grace: float,
) -> NodeTask:
    return NodeTask(
        key=AttemptKey(run="test-run", job="test-job", step="steps[0]", attempt=attempt),
        node=node,
        agent=AgentRef(id="test-agent", name="test-agent"),
        run=RunInfo(id="test-run", name="test"),
        inputs=inputs,
        env=env,
        paths=paths,
        secrets=secrets,
        kill_grace=kill_grace,
    )


def _result(result: StepResult, ctx: StepContext, records: list[LogRecord]) -> NodeResult:
    return NodeResult(
        outputs=result.outputs,
        error=result.error,
        exit_code=result.exit_code,
        records=records,
        env=dict(ctx.env_changes),
        paths=list(ctx.path_changes),
        masks=list(ctx.masks),
    )
