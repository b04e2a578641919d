"""What one evaluation knows: its contexts, its host's functions, and how much it has made."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from waterflow_dsl.expressions._errors import MemoryLimitError

FunctionHost = Mapping[str, Callable[..., Any]]
"""The functions that only the caller can answer (`success`, `hashFiles`, `now`, …), by their documented spelling."""

NO_HOST: Final[FunctionHost] = {}

MAX_MEMORY = 10 * 1024 * 1024
"""Bytes of the values that one evaluation may make, counted as GitHub counts them."""

_STRING_OVERHEAD = 26
_OBJECT_OVERHEAD = 24
_REFERENCE = 8


class Frame:
    """One evaluation. The memory count depends on the values alone, so it is the same on every machine."""

    __slots__ = ("contexts", "functions", "used")

    def __init__(self, contexts: Mapping[str, object], functions: FunctionHost) -> None:
        self.contexts = contexts
        self.functions = functions
        self.used = 0

    def charge(self, size: int) -> None:
        """Count bytes about to be made."""
        self.used += size
        if self.used > MAX_MEMORY:
            raise MemoryLimitError

    def charge_text(self, length: int, count: int = 1) -> None:
        """Count `count` strings of `length` characters together."""
        self.charge(_STRING_OVERHEAD * count + 2 * length)

    def charge_items(self, count: int) -> None:
        """Count a collection that refers to `count` values."""
        self.charge(_OBJECT_OVERHEAD + _REFERENCE * count)
