"""What the tests of logs share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logs._s3 import HOW, KEYS, Gateway, running_gateway
from waterflow_server.logs import S3LogStore


@pytest.fixture
def gateway(require_component: Callable[[str, str], Path], tmp_path: Path) -> Iterator[Gateway]:
    """An S3-compatible server with an empty bucket."""
    named = os.environ.get("WATERFLOW_VERSITYGW_BINARY")
    binary = Path(named) if named else require_component("versitygw", HOW)
    with running_gateway(binary, tmp_path) as gateway:
        yield gateway


@pytest.fixture
def store(gateway: Gateway, tmp_path: Path) -> Iterator[S3LogStore]:
    """The store of one server."""
    store = S3LogStore(gateway.address, KEYS, tmp_path / "one")
    yield store
    store.close()


@pytest.fixture
def another(gateway: Gateway, tmp_path: Path) -> Iterator[S3LogStore]:
    """That of a second one, with a disk of its own."""
    store = S3LogStore(gateway.address, KEYS, tmp_path / "two")
    yield store
    store.close()
