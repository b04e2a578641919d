"""A run on the server, for code without asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..wire import LogStreamKind, PlanView, RunOutputs, RunState
from ._events import SyncEventStream
from ._logs import SyncLogStream
from ._plan import Edited
from ._portal import Portal
from ._run import RetryScope, Run, View


class SyncRun:
    """A run on the server; see :class:`Run`."""

    def __init__(self, portal: Portal, run: Run) -> None:
        self._portal = portal
        self._run = run

    def __repr__(self) -> str:
        return repr(self._run)

    @property
    def id(self) -> str:
        """The id of the run."""
        return self._run.id

    @property
    def url(self) -> str:
        """The address for people; ``""`` unless this comes from a submit."""
        return self._run.url

    @property
    def created(self) -> bool:
        """False when the idempotency key had already made the run."""
        return self._run.created

    @property
    def warnings(self) -> tuple[Mapping[str, Any], ...]:
        """Diagnostics of severity below error, known after a submit."""
        return self._run.warnings

    def status(self, view: View = "full", at: datetime | None = None) -> RunState:
        """See :meth:`Run.status`."""
        return self._portal.call(self._run.status(view, at))

    def definition(self) -> str:
        """See :meth:`Run.definition`."""
        return self._portal.call(self._run.definition())

    def outputs(self) -> RunOutputs:
        """See :meth:`Run.outputs`."""
        return self._portal.call(self._run.outputs())

    def delete(self) -> None:
        """See :meth:`Run.delete`."""
        self._portal.call(self._run.delete())

    def events(self, *, give_up_after: float | None = None) -> SyncEventStream:
        """See :meth:`Run.events`."""
        return SyncEventStream(self._portal, self._run.events(give_up_after=give_up_after))

    def wait(self, timeout: float | None = None) -> RunState:
        """See :meth:`Run.wait`."""
        return self._portal.call(self._run.wait(timeout))

    def logs(
        self,
        *,
        follow: bool = False,
        job: str | None = None,
        step: str | None = None,
        host: str | None = None,
        attempt: int | None = None,
        stream: LogStreamKind | None = None,
        tail: int | None = None,
        since: datetime | None = None,
        search: str | None = None,
        give_up_after: float | None = None,
    ) -> SyncLogStream:
        """See :meth:`Run.logs`."""
        log = self._run.logs(
            follow=follow,
            job=job,
            step=step,
            host=host,
            attempt=attempt,
            stream=stream,
            tail=tail,
            since=since,
            search=search,
            give_up_after=give_up_after,
        )
        return SyncLogStream(self._portal, log)

    def cancel(self, reason: str = "", *, force: bool = False) -> None:
        """See :meth:`Run.cancel`."""
        self._portal.call(self._run.cancel(reason, force=force))

    def pause(self, reason: str = "") -> None:
        """See :meth:`Run.pause`."""
        self._portal.call(self._run.pause(reason))

    def resume(self) -> None:
        """See :meth:`Run.resume`."""
        self._portal.call(self._run.resume())

    def approve(
        self, by: str = "", comment: str = "", inputs: Mapping[str, Any] | None = None, step: str | None = None
    ) -> None:
        """See :meth:`Run.approve`."""
        self._portal.call(self._run.approve(by, comment, inputs, step))

    def reject(
        self, by: str = "", comment: str = "", inputs: Mapping[str, Any] | None = None, step: str | None = None
    ) -> None:
        """See :meth:`Run.reject`."""
        self._portal.call(self._run.reject(by, comment, inputs, step))

    def send_event(self, name: str, payload: Any = None) -> None:
        """See :meth:`Run.send_event`."""
        self._portal.call(self._run.send_event(name, payload))

    def retry(self, scope: RetryScope = "failed", job: str | None = None, step: str | None = None) -> SyncRun:
        """See :meth:`Run.retry`."""
        return SyncRun(self._portal, self._portal.call(self._run.retry(scope, job, step)))

    def plan(self) -> PlanView:
        """See :meth:`Run.plan`."""
        return self._portal.call(self._run.plan())

    def edit(
        self,
        yaml: str,
        *,
        filename: str = "workflow.yaml",
        files: Mapping[str, str] | None = None,
        vars: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Edited:
        """See :meth:`Run.edit`."""
        work = self._run.edit(
            yaml, filename=filename, files=files, vars=vars, inputs=inputs, secrets=secrets, dry_run=dry_run
        )
        return self._portal.call(work)
