"""Whether the Waterflow server is ready and which agents it shows as online: small, bounded questions over HTTP."""

from __future__ import annotations

import asyncio
import http.client

import msgspec

from waterflow_sdk.wire import AgentStatus

from ._ports import LOOPBACK

_TIMEOUT = 5.0


class _Agent(msgspec.Struct):
    name: str
    status: str


class _AgentPage(msgspec.Struct):
    items: list[_Agent]


def _get(port: int, path: str) -> tuple[int, bytes]:
    # http.client knows nothing of proxies in the environment, which must not be asked for our own loopback address.
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


async def server_state(port: int) -> str | None:
    """None when the server is ready; else why not, in words."""
    try:
        status, body = await asyncio.to_thread(_get, port, "/health/ready")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error}"
    return None if status == http.HTTPStatus.OK else f"it says {status}: {body[:300].decode(errors='replace')}"


async def online_agents(port: int) -> set[str]:
    """Names of the agents that the server shows as online; empty while it cannot be asked."""
    try:
        status, body = await asyncio.to_thread(_get, port, "/v1/agents")
        if status != http.HTTPStatus.OK:
            return set()
        page = msgspec.json.decode(body, type=list[_Agent] | _AgentPage)
    except (OSError, http.client.HTTPException, msgspec.MsgspecError):
        return set()
    agents = page.items if isinstance(page, _AgentPage) else page
    return {agent.name for agent in agents if agent.status == AgentStatus.ONLINE}
