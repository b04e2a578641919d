"""An agent in words: its state record, and why a lease ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from temporalio.exceptions import ActivityError, CancelledError, TimeoutError, TimeoutType

from waterflow_sdk.wire import AgentDuplicate, AgentHello, AgentLoad, AgentState, AgentStatus


def agent_state(
    hello: AgentHello,
    groups: list[str],
    status: AgentStatus,
    reason: str,
    since: datetime,
    duplicate: AgentDuplicate | None = None,
) -> AgentState:
    """The record that is shown: what the agent said of itself, and where it stands."""
    return AgentState(
        id=hello.id,
        name=hello.name,
        status=status,
        reason=reason,
        host=hello.host,
        version=hello.version,
        incarnation=hello.incarnation,
        groups=groups,
        registered=sorted(set(hello.groups)),
        tags=sorted(set(hello.tags)),
        capabilities=hello.capabilities,
        slots=hello.slots,
        nodes=hello.nodes,
        broken_nodes=hello.broken_nodes,
        since=since,
        directory=hello.home.directory if hello.home else "",
        process=hello.home.process if hello.home else 0,
        duplicate=duplicate,
    )


def why_lost(error: ActivityError, hello: AgentHello) -> str:
    """Why the lease, or an activity before it, failed."""
    cause = error.cause
    if isinstance(cause, TimeoutError) and cause.type is TimeoutType.HEARTBEAT:
        return f"no heartbeat for {hello.heartbeat_timeout:g} s{_last_heard(cause.last_heartbeat_details)}"
    if isinstance(cause, TimeoutError):
        return f"it did not answer on its control queue within {hello.heartbeat_timeout:g} s after its hello"
    if isinstance(cause, CancelledError):
        return "its lease was taken back"
    return f"its lease failed: {cause or error}"


def _last_heard(details: Sequence[Any]) -> str:
    if not details:
        return ""
    try:
        load = msgspec.convert(details[0], AgentLoad)
    except msgspec.ValidationError:
        return ""  # an agent of another minor version; the time-out says enough
    return f"; last heard from at {load.time:%Y-%m-%d %H:%M:%S} UTC"
