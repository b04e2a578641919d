"""What a host may put around the processes of a step. Nodes do not see it: they run processes as ever."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ._group import signal_group


class Confinement(Protocol):
    """How a step's processes are started and signalled where they do not simply belong to the host's own user."""

    async def prepare(self) -> None:
        """Called before each process. Raises :class:`NodeError` where the step cannot be confined as it has to be."""
        ...

    def command(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> tuple[list[str], Path]:
        """What is executed instead of ``argv`` with ``env`` in ``cwd``, and where. Nothing of ``env`` that may be
        secret goes into it: everybody on the host sees the arguments of a process.
        """
        ...

    async def signal(self, group: int, number: signal.Signals) -> None:
        """Send a signal to the members of a process group that belong to the step."""
        ...


class Unconfined:
    """Processes of the host's own user, as they are."""

    async def prepare(self) -> None:
        """Nothing is needed."""

    def command(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> tuple[list[str], Path]:  # noqa: ARG002
        """The same."""
        return list(argv), cwd

    async def signal(self, group: int, number: signal.Signals) -> None:
        """By the kernel."""
        signal_group(group, number)
