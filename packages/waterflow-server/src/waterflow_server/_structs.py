"""What msgspec knows of a struct, built before there are threads that need it.

At the first use of a struct as a type, msgspec puts the description of its fields together, piece by piece, and runs
Python code between the pieces. A second thread that decodes into the same struct meanwhile reads what is not there yet,
and the process ends with SIGSEGV (seen with msgspec 0.22). Workflows run in several threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec


def build_structs() -> None:
    """Builds it for every struct that is imported, before threads start. The second time it costs next to nothing."""
    for struct in _all(msgspec.Struct):
        # Values of some structs are only ever made, never decoded: msgspec cannot tell their unions apart.
        with suppress(TypeError, NameError):
            msgspec.json.Decoder(struct)


def _all(base: type[msgspec.Struct]) -> Iterator[type[Any]]:
    for struct in base.__subclasses__():
        yield struct
        yield from _all(struct)
