"""Why a node failed. The tree:

::

    NodeError                 node-error        what a node raises
    ├── InvalidInput          invalid-input     an input is missing, unknown or wrong
    ├── InvalidOutput         invalid-output    the node returned what it does not declare
    │   └── OutputTooLarge    output-too-large  outputs take more than 64 KiB
    ├── ProcessFailed         process-failed    a process ended with an exit code other than 0
    ├── NodeTimeout           timeout           something took longer than its time-out; another attempt may help
    ├── NotFoundError         not-found         a file, command or remote thing does not exist
    ├── PermissionDenied      permission-denied the agent's user may not do it
    └── NodeCancelled         cancelled         the step was cancelled while a synchronous node ran
    InvalidNode               invalid-node      the node itself is not well made (its author must act)
    └── IncompatibleNode      node-interface    the node was made for another major interface version
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..wire import ErrorInfo


class NodeError(Exception):
    """A step cannot do its work. ``code`` is stable and machine readable, ``message`` a sentence for people.

    ``retryable`` says that another attempt may help. ``details`` are JSON facts. ``exit_code`` is that of the process
    behind the failure, if there was one.
    """

    default_code: ClassVar[str] = "node-error"
    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retryable: bool | None = None,
        details: Mapping[str, Any] | None = None,
        exit_code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.default_code if code is None else code
        self.retryable = self.default_retryable if retryable is None else retryable
        self.details: dict[str, Any] = dict(details or {})
        self.exit_code = exit_code

    def to_info(self) -> ErrorInfo:
        """The error as it travels: not masked yet."""
        details = dict(self.details)
        if self.exit_code is not None:
            details.setdefault("exit_code", self.exit_code)
        return ErrorInfo(code=self.code, message=self.message, retryable=self.retryable, details=details)


class InvalidInput(NodeError):
    """An input is missing, unknown or of the wrong type; ``details["input"]`` names it."""

    default_code = "invalid-input"


class InvalidOutput(NodeError):
    """The node returned something that its ``Output`` does not declare."""

    default_code = "invalid-output"


class OutputTooLarge(InvalidOutput):
    """The outputs of the step take more than ``MAX_OUTPUT_BYTES`` as JSON."""

    default_code = "output-too-large"


class ProcessFailed(NodeError):
    """A process ended with an exit code other than 0 (128 + signal number when a signal ended it)."""

    default_code = "process-failed"

    def __init__(self, message: str, *, exit_code: int, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, exit_code=exit_code, details=details)


class NodeTimeout(NodeError):
    """Something took longer than its time-out allows."""

    default_code = "timeout"
    default_retryable = True


class NotFoundError(NodeError):
    """A file, a command or a remote thing does not exist."""

    default_code = "not-found"


class PermissionDenied(NodeError):
    """The user that the agent runs as may not do it."""

    default_code = "permission-denied"


class NodeCancelled(NodeError):
    """Raised inside a *synchronous* node when its step is cancelled; asynchronous ones get ``CancelledError``."""

    default_code = "cancelled"


class InvalidNode(Exception):
    """A node is not well made. ``problems`` lists everything that is wrong, each as one sentence."""

    code = "invalid-node"

    def __init__(self, node: str, problems: Sequence[str]) -> None:
        super().__init__(f"{node}: " + "; ".join(problems))
        self.node = node
        self.problems = list(problems)


class IncompatibleNode(InvalidNode):
    """A node was made for another major version of the node interface."""

    code = "node-interface"
