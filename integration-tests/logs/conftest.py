"""What the tests of logs share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logs._s3 import HOW, Gateway, running_gateway


@pytest.fixture
def gateway(require_component: Callable[[str, str], Path], tmp_path: Path) -> Iterator[Gateway]:
    """An S3-compatible server with an empty bucket."""
    named = os.environ.get("WATERFLOW_VERSITYGW_BINARY")
    binary = Path(named) if named else require_component("versitygw", HOW)
    with running_gateway(binary, tmp_path) as gateway:
        yield gateway
