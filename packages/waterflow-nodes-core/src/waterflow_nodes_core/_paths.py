"""Paths that a workflow gives, and what the system says about them, in words."""

from __future__ import annotations

import errno
from pathlib import Path

from waterflow_sdk import InvalidInput, NodeError, NotFoundError, PermissionDenied


def resolve(workspace: Path, given: str) -> Path:
    """The absolute path: ``~`` is the agent's home, a relative path starts at the workspace and stays inside it.

    Raises:
        InvalidInput: It is empty, has a NUL byte, or is relative and leaves the workspace (also by a symbolic link).
    """
    if not given or "\0" in given:
        raise InvalidInput(f"{given!r} is not a path: it is empty or holds a NUL byte", details={"input": "path"})
    path = Path(given).expanduser() if given.startswith("~/") else Path(given)
    if path.is_absolute():
        return path
    full = (workspace / path).resolve()
    if not full.is_relative_to(workspace.resolve()):
        raise InvalidInput(
            f"the relative path {given!r} leaves the workspace; give an absolute path if that is meant",
            details={"input": "path"},
        )
    return full


def explain(error: OSError, given: str) -> NodeError:
    """The node error for what the system refused."""
    details = {"path": given}
    if isinstance(error, FileNotFoundError):
        return NotFoundError(f"{given!r} does not exist", details=details)
    if isinstance(error, PermissionError):
        return PermissionDenied(f"the agent's user has no permission for {given!r}", details=details)
    if isinstance(error, IsADirectoryError):
        return NodeError(f"{given!r} is a directory, not a file", code="is-directory", details=details)
    if isinstance(error, NotADirectoryError):
        return NodeError(f"a part of {given!r} is a file, not a directory", code="not-directory", details=details)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NodeError(f"no space is left on the disk for {given!r}", code="disk-full", details=details)
    return NodeError(f"{given!r}: {error.strerror or error}", code="file-error", details=details)
