"""The command, with a home of its own."""

from pathlib import Path

import pytest
from harness.command import Command


@pytest.fixture
def waterflow(tmp_path: Path, temporal_binary: Path) -> Command:
    """`waterflow`, for whom everything is new but the Temporal CLI."""
    return Command(tmp_path, temporal_binary)
