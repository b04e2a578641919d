"""A spool, and a server to ship to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from waterflow_agent._logs._spool import Spool

from .receiver import Receiver


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool in ``tmp_path / "logs"``."""
    return Spool(tmp_path / "logs")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A log server that runs."""
    receiver = Receiver()
    receiver.start()
    yield receiver
    receiver.stop()
