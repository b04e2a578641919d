"""What the interpreter sends to an agent for one attempt of one step, and what comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ._base import WIRE_VERSION, Wire
from ._log import LogRef
from ._state import AgentRef, ErrorInfo, State


class AttemptKey(Wire, frozen=True, kw_only=True):
    """The identity of an attempt: one key is executed at most once, however often it is sent."""

    run: str
    job: str
    step: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.run}/{self.job}/{self.step}.{self.attempt}"


class RunInfo(Wire, frozen=True, kw_only=True):
    """What a node may know of the run it works for."""

    id: str
    name: str
    title: str = ""
    started_by: str = ""
    labels: list[str] = []


class NodeTask(Wire, frozen=True, kw_only=True):
    """One attempt, fully resolved: no expression is left in it.

    ``inputs`` are the node's inputs as JSON. ``env`` is the step's whole added environment; ``paths`` come in front of
    ``PATH``. ``secrets`` are values by name, for masking and ``ctx.secrets``; ``masks`` are further values to mask.
    ``needed_secrets`` are the names of those that the job reads: where agents have to read a secret themselves
    (:mod:`waterflow_sdk.secrets`), nothing of the job runs on a host that lacks one.
    ``run_as`` is the user that the processes of the step belong to; empty = the agent's own.
    ``memory`` is how many bytes of memory each of them may have; None = as the agent says.
    ``timeout`` and ``kill_grace`` are seconds. ``fence_after`` is the number of seconds without contact to Temporal
    after which the agent ends the attempt by itself (set where the attempt may be reassigned); None = never.
    ``trace`` carries the W3C trace context.
    """

    key: AttemptKey
    node: str
    wire: str = WIRE_VERSION
    version: str | None = None
    agent: AgentRef
    run: RunInfo
    step_name: str = ""
    inputs: dict[str, Any] = {}
    env: dict[str, str] = {}
    paths: list[str] = []
    secrets: dict[str, str] = {}
    masks: list[str] = []
    needed_secrets: list[str] = []
    run_as: str = ""
    memory: int | None = None
    timeout: float | None = None
    kill_grace: float = 10.0
    fence_after: float | None = None
    trace: dict[str, str] = {}


class NodeOutcome(Wire, frozen=True, kw_only=True):
    """How an attempt ended. A failure is a result, not an exception: ``state`` and ``error`` say it.

    ``env`` holds changes for the later steps of the job (None = unset), ``paths`` new entries in front of ``PATH``.
    ``masks`` are values the step asked to mask. ``adopted`` says that an earlier delivery had started the attempt.
    """

    state: State
    agent: AgentRef
    started: datetime
    ended: datetime
    wire: str = WIRE_VERSION
    outputs: dict[str, Any] = {}
    env: dict[str, str | None] = {}
    paths: list[str] = []
    masks: list[str] = []
    node_state: dict[str, str] = {}
    exit_code: int | None = None
    error: ErrorInfo | None = None
    log: LogRef | None = None
    adopted: bool = False


class ClaimRequest(Wire, frozen=True, kw_only=True):
    """Asks the group's queue for a member that takes the job instance, knows all the nodes it uses and has all the
    ``capabilities`` that its steps ask for themselves (``run-as/deploy``).
    """

    run: str
    job: str
    nodes: list[str] = []
    capabilities: list[str] = []
    wire: str = WIRE_VERSION


MAX_OUTPUT_BYTES = 64 * 1024
"""A step's outputs may take this much as JSON; more is an error that says so (nothing large in history)."""
