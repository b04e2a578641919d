"""What the tests of several rooms need: a real Temporal."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_server._converter import data_converter
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a Temporal of its own, with payloads that are encrypted."""
    binary = os.environ.get("WATERFLOW_TEMPORAL_BINARY")
    given = {"binary": Path(binary)} if binary else {}
    settings = TemporalSettings.from_environ(data_dir=tmp_path / "temporal", ui=False, stop_timeout=0.1, **given)
    async with EmbeddedTemporal(settings) as temporal:
        ring = KeyRing(active="k1", keys={"k1": b"1" * 32})
        yield await Client.connect(temporal.address, data_converter=data_converter(PayloadCodec(ring)))
