"""What may be read. Nothing is allowed that is not listed: whoever may submit could read it all otherwise."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from ._reference import SecretReference, SourceKind

_PATTERN = re.compile(
    r"env:[A-Za-z_][A-Za-z0-9_]*\*?|file:/[^\x00-\x1f\x7f*]*[^\x00-\x1f\x7f*]|vault:[^/#?\s*]+/[^#?\s*]*\*?"
)


class AllowList:
    """Patterns of references: ``env:NAME``, ``env:PREFIX*``, ``file:/path``, ``file:/directory/`` (all that is below),
    ``vault:mount/path``, ``vault:mount/path/*``. Raises ValueError for a pattern that is none.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self.patterns = tuple(patterns)
        for pattern in self.patterns:
            if _PATTERN.fullmatch(pattern) is None or ".." in pattern.split("/"):
                raise ValueError(
                    f"{pattern!r} is no pattern of secrets: write env:NAME, env:PREFIX*, file:/path, file:/directory/, "
                    "vault:mount/path or vault:mount/path/*"
                )

    def allows(self, reference: SecretReference) -> bool:
        """Whether the reference may be read."""
        return any(_matches(pattern, reference) for pattern in self.patterns)

    def allows_variable(self, name: str) -> bool:
        """Whether an environment variable is a secret that may be read; steps must then not inherit it."""
        return self.allows(SecretReference(kind=SourceKind.ENV, where=name))


def _matches(pattern: str, reference: SecretReference) -> bool:
    kind, _, where = pattern.partition(":")
    if kind != reference.kind.value:
        return False
    if reference.kind is SourceKind.FILE:
        return _is_file_of(where, reference.where)
    if where.endswith("*"):
        return reference.where.startswith(where[:-1])
    return reference.where == where


def _is_file_of(allowed: str, path: str) -> bool:
    """Links are followed on both sides: what counts is the file that would be read."""
    real = os.path.realpath(path)
    if allowed.endswith("/"):
        return real.startswith(os.path.join(os.path.realpath(allowed), ""))
    return real == os.path.realpath(allowed)
