"""How much of Temporal one request asks for, and for how long."""

from __future__ import annotations

from datetime import timedelta

AT_ONCE = 20
"""Workflows that are asked at the same time."""

RPC_TIMEOUT = timedelta(seconds=10)
"""How long each may take to answer."""
