"""Answers the server's question whether this agent can read what the jobs of a run need, before the run starts."""

from __future__ import annotations

from temporalio import activity

from waterflow_sdk.wire import CHECK_SECRETS_ACTIVITY, SecretAnswer

from ._resolver import SecretResolver


class SecretCheck:
    """The ``CheckSecrets`` activity, by the same rules as a step: the agent's own allow-list decides."""

    def __init__(self, resolver: SecretResolver) -> None:
        self._resolver = resolver

    @activity.defn(name=CHECK_SECRETS_ACTIVITY)
    async def check(self, segments: list[str]) -> list[SecretAnswer]:
        """Whether each can be read now; no value leaves the agent."""
        return await self._resolver.check(segments)
