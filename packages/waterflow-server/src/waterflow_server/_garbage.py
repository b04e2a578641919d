"""Large structures are made in one go: looking for garbage among them meanwhile takes longer than making them."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Generator[None]:
    """Inside, Python does not look for cycles. Another thread that leaves one earlier ends it for all, to no harm."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
