"""The agent's process is not a node's to end: what would end it at once raises instead."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator
from typing import Any, NoReturn

_ENDING = ("_exit", "abort", "execv", "execve")
"""Of :mod:`os`; all its other ways to replace a process go through the last two."""


@contextlib.contextmanager
def no_exit() -> Generator[None]:
    """Meanwhile these raise SystemExit in this process, which is an error of the node or plug-in that called them.

    A process that is forked from this one may end as it likes: such as one of :mod:`multiprocessing`, which ends so.
    """
    before = {name: getattr(os, name) for name in _ENDING}
    for name, function in before.items():
        setattr(os, name, _guarded(name, function, os.getpid()))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(os, name, function)


def _guarded(name: str, function: Callable[..., Any], own: int) -> Callable[..., NoReturn]:
    def guarded(*args: Any, **options: Any) -> NoReturn:
        if os.getpid() == own:
            raise SystemExit(f"os.{name} would end the whole agent; raise an error or return instead")
        function(*args, **options)
        raise AssertionError(f"os.{name} has returned")

    return guarded
