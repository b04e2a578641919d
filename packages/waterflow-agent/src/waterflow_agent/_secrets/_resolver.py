"""Puts values in place of the segments that stand for secrets, just before a step runs."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from waterflow_sdk.codec import PayloadCodec
from waterflow_sdk.secrets import (
    SecretError,
    SecretReference,
    SecretSources,
    Segment,
    holds_segment,
    replace_segments,
    segments_in,
)
from waterflow_sdk.wire import NodeTask, SecretAnswer


class SecretResolver:
    """Resolves the secrets of tasks. What is read is kept nowhere: every attempt reads anew."""

    def __init__(self, codec: PayloadCodec, sources: SecretSources) -> None:
        self._codec = codec
        self._sources = sources

    def hides(self, variable: str) -> bool:
        """Whether a variable of the agent's environment is a secret, which steps must not inherit."""
        return self._sources.allowed.allows_variable(variable)

    async def resolve(self, task: NodeTask) -> NodeTask:
        """The task with values in place of segments. Raises SecretError when one is missing that the task, or any other
        step of its job, needs: nothing of a job runs on a host that lacks a secret.

        Secrets that the job does not read are there as far as this agent has them, to be masked.
        """
        parts: dict[str, Any] = {"inputs": task.inputs, "env": task.env, "paths": task.paths, "masks": task.masks}
        if not holds_segment([parts, task.secrets]):
            return task
        known: dict[str, str] = {}
        needed = {name.lower() for name in task.needed_secrets}
        of_job = [value for name, value in task.secrets.items() if name.lower() in needed]
        await self._read_all(segments_in([parts, of_job]), known)
        secrets = {name: value for name, value in task.secrets.items() if await self._has(value, known)}
        resolved = {
            name: replace_segments(value, known.__getitem__) for name, value in (*parts.items(), ("secrets", secrets))
        }
        # The value by itself is masked too where a secret is only a part of the text of another.
        resolved["masks"] = [*resolved["masks"], *known.values()]
        return msgspec.structs.replace(task, **resolved)

    async def check(self, segments: list[str]) -> list[SecretAnswer]:
        """Whether each can be read now, in the same order. What was read is left at once."""
        return list(await asyncio.gather(*map(self._answer, segments)))

    async def _answer(self, segment: str) -> SecretAnswer:
        try:
            await self._read(segment)
        except SecretError as error:
            return SecretAnswer(code=error.code, message=str(error), retryable=error.retryable)
        return SecretAnswer()

    async def _has(self, value: str, known: dict[str, str]) -> bool:
        try:
            await self._read_all(segments_in(value), known)
        except SecretError:
            return False
        return True

    async def _read_all(self, segments: list[str], known: dict[str, str]) -> None:
        missing = [segment for segment in segments if segment not in known]
        known |= zip(missing, await asyncio.gather(*map(self._read, missing)), strict=True)

    async def _read(self, segment: str) -> str:
        meant = Segment.open(segment, self._codec)
        try:
            return await self._sources.read(SecretReference.parse(meant.source))
        except SecretError as error:
            raise type(error)(f"secret {meant.name}: {error}") from None
