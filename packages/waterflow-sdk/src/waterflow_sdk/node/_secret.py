"""``Secret``: a value that is not shown by accident."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

MASK = "***"
"""What stands in place of a secret, wherever one would be shown."""


class Secret(Generic[T]):
    """A value whose ``str`` and ``repr`` are ``***``; :meth:`reveal` gives it out.

    As the type of an input (``token: Secret[str]``) it also marks the input in the manifest's ``secret_inputs``, and
    the value is masked in everything that the step logs.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself. Hand it only to what needs it, never to a message or a command line."""
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == cast("Secret[Any]", other)._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not pickled: reveal() it where it is needed")
