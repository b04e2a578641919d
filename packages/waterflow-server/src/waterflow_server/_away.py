"""Why an agent takes no work now, in words."""

from __future__ import annotations

from datetime import UTC

from waterflow_sdk.wire import AgentState, AgentStatus


def away(agent: AgentState) -> str:
    """To stand after the agent's name: ``offline since 2026-11-21 10:14 UTC``; empty for one that is online."""
    if agent.status is AgentStatus.ONLINE:
        return ""
    if agent.since is not None:
        return f"{agent.status.value} since {agent.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return agent.status.value + (f" ({agent.reason})" if agent.reason else "")
