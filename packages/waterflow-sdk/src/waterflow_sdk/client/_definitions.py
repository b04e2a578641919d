"""Stored workflows, as the client sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from ..wire import (
    ActivateRequest,
    DefinitionDiff,
    DefinitionInfo,
    DefinitionPut,
    DefinitionRunRequest,
    DefinitionText,
    DefinitionVersion,
    SubmitResponse,
)
from ._errors import NotFound
from ._portal import Portal
from ._run import Run
from ._sync_run import SyncRun
from ._transport import Transport, segment

Infos = list[DefinitionInfo]
Versions = list[DefinitionVersion]


class Definitions:
    """``client.definitions``. Methods that name a definition raise :class:`NotFound` where there is none."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def apply(
        self,
        name: str,
        yaml: str,
        *,
        filename: str = "workflow.yaml",
        files: Mapping[str, str] | None = None,
        expected: int | None = None,
    ) -> DefinitionInfo:
        """Keep the workflow file ``yaml`` (its text) as a new version of ``name``, which is active at once.

        Sending the newest version again changes nothing (``created`` is false). ``expected`` is the newest version that
        the change was made on top of, 0 for none: :class:`Conflict` when it is another one. Raises
        :class:`InvalidWorkflow`, and :class:`InvalidRequest` for a file that cannot do what it asks for.
        """
        body = DefinitionPut(yaml=yaml, filename=filename, files=dict(files or {}), expected=expected)
        return await self._transport.call("PUT", _path(name), DefinitionInfo, body=body)

    async def list(self) -> Infos:
        """All definitions, by name."""
        return await self._transport.call("GET", "/v1/definitions", Infos)

    async def get(self, name: str) -> DefinitionInfo:
        """One definition."""
        return await self._transport.call("GET", _path(name), DefinitionInfo, missing=NotFound)

    async def versions(self, name: str) -> Versions:
        """The versions that are kept, newest first."""
        return await self._transport.call("GET", f"{_path(name)}/versions", Versions, missing=NotFound)

    async def version(self, name: str, number: int) -> DefinitionText:
        """One version with its text."""
        return await self._transport.call("GET", f"{_path(name)}/versions/{number}", DefinitionText, missing=NotFound)

    async def diff(self, name: str, old: int, new: int | None = None) -> DefinitionDiff:
        """What changed from version ``old`` to ``new`` (None: the active one), as a unified diff."""
        query = {"old": old, "new": new}
        return await self._transport.call("GET", f"{_path(name)}/diff", DefinitionDiff, query=query, missing=NotFound)

    async def activate(self, name: str, version: int) -> DefinitionInfo:
        """Use a version from now on."""
        return await self._tell(name, "activate", ActivateRequest(version=version))

    async def rollback(self, name: str) -> DefinitionInfo:
        """Use the version before the active one."""
        return await self._tell(name, "rollback", safe=False)  # a second one would go back twice

    async def enable(self, name: str) -> DefinitionInfo:
        """Let it run, and its schedules fire."""
        return await self._tell(name, "enable")

    async def disable(self, name: str) -> DefinitionInfo:
        """Let nothing start it; what runs goes on."""
        return await self._tell(name, "disable")

    async def delete(self, name: str, *, force: bool = False) -> None:
        """Forget it with all versions and its own schedules; its runs go on.

        Raises :class:`Conflict` where a run of it has not ended or another schedule uses it, unless ``force``.
        """
        await self._transport.send("DELETE", _path(name) + ("?force=true" if force else ""), missing=NotFound)

    async def run(
        self,
        name: str,
        *,
        vars: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        labels: Sequence[str] = (),
        idempotency_key: str | None = None,
        run_at: datetime | None = None,
        version: int | None = None,
    ) -> Run:
        """Start a run of the active version, or of ``version``; else as :meth:`AsyncClient.submit`.

        Raises :class:`Conflict` for a definition that is disabled.
        """
        body = DefinitionRunRequest(
            vars=dict(vars or {}),
            inputs=dict(inputs or {}),
            secrets=dict(secrets or {}),
            labels=list(labels),
            idempotency_key=idempotency_key or uuid4().hex,
            run_at=run_at,
            version=version,
        )
        answer = await self._transport.call("POST", f"{_path(name)}/run", SubmitResponse, body=body, missing=NotFound)
        return Run(self._transport, answer.id, url=answer.url, created=answer.created, warnings=tuple(answer.warnings))

    async def _tell(
        self, name: str, what: str, body: ActivateRequest | None = None, *, safe: bool = True
    ) -> DefinitionInfo:
        path = f"{_path(name)}/{what}"
        return await self._transport.call("POST", path, DefinitionInfo, body=body, missing=NotFound, safe=safe)


class SyncDefinitions:
    """``client.definitions`` without asyncio; see :class:`Definitions`."""

    def __init__(self, portal: Portal, definitions: Definitions) -> None:
        self._portal = portal
        self._definitions = definitions

    def apply(
        self,
        name: str,
        yaml: str,
        *,
        filename: str = "workflow.yaml",
        files: Mapping[str, str] | None = None,
        expected: int | None = None,
    ) -> DefinitionInfo:
        """See :meth:`Definitions.apply`."""
        work = self._definitions.apply(name, yaml, filename=filename, files=files, expected=expected)
        return self._portal.call(work)

    def list(self) -> Infos:
        """See :meth:`Definitions.list`."""
        return self._portal.call(self._definitions.list())

    def get(self, name: str) -> DefinitionInfo:
        """See :meth:`Definitions.get`."""
        return self._portal.call(self._definitions.get(name))

    def versions(self, name: str) -> Versions:
        """See :meth:`Definitions.versions`."""
        return self._portal.call(self._definitions.versions(name))

    def version(self, name: str, number: int) -> DefinitionText:
        """See :meth:`Definitions.version`."""
        return self._portal.call(self._definitions.version(name, number))

    def diff(self, name: str, old: int, new: int | None = None) -> DefinitionDiff:
        """See :meth:`Definitions.diff`."""
        return self._portal.call(self._definitions.diff(name, old, new))

    def activate(self, name: str, version: int) -> DefinitionInfo:
        """See :meth:`Definitions.activate`."""
        return self._portal.call(self._definitions.activate(name, version))

    def rollback(self, name: str) -> DefinitionInfo:
        """See :meth:`Definitions.rollback`."""
        return self._portal.call(self._definitions.rollback(name))

    def enable(self, name: str) -> DefinitionInfo:
        """See :meth:`Definitions.enable`."""
        return self._portal.call(self._definitions.enable(name))

    def disable(self, name: str) -> DefinitionInfo:
        """See :meth:`Definitions.disable`."""
        return self._portal.call(self._definitions.disable(name))

    def delete(self, name: str, *, force: bool = False) -> None:
        """See :meth:`Definitions.delete`."""
        self._portal.call(self._definitions.delete(name, force=force))

    def run(
        self,
        name: str,
        *,
        vars: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        labels: Sequence[str] = (),
        idempotency_key: str | None = None,
        run_at: datetime | None = None,
        version: int | None = None,
    ) -> SyncRun:
        """See :meth:`Definitions.run`."""
        work = self._definitions.run(
            name,
            vars=vars,
            inputs=inputs,
            secrets=secrets,
            labels=labels,
            idempotency_key=idempotency_key,
            run_at=run_at,
            version=version,
        )
        return SyncRun(self._portal, self._portal.call(work))


def _path(name: str) -> str:
    return f"/v1/definitions/{segment(name)}"
