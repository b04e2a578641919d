"""What a trigger lets a server do for it, on the orchestrator queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from waterflow_sdk.wire import State, SubmitRequest

from .._errors import ServerError
from ..catalog import NodeCatalog
from ..definitions import DefinitionStore, definition_label, disabled
from ..groups import TableStore
from ..presence import Agents
from ..runs import RunError, Runs
from ..secrets import SecretReferences
from ..submissions import Submissions
from ._wire import OUTCOME_ACTIVITY, PICK_ACTIVITY, START_ACTIVITY, Outcome, StartOrder, TriggerOrder


class TriggerActivities:
    """The activities, with what they share."""

    def __init__(self, client: Client, secrets: SecretReferences) -> None:
        self._store = DefinitionStore(client)
        self._runs = Runs(client)
        catalog = NodeCatalog(Agents(client), TableStore(client))
        self._submissions = Submissions(self._runs, catalog, secrets=secrets, stored=self._store)

    @activity.defn(name=PICK_ACTIVITY)
    async def pick(self, order: TriggerOrder) -> int:
        """The version that is active now."""
        name = order.spec.definition
        try:
            stored = (await self._store.get(name)).value
            if not stored.enabled:
                raise disabled(name)
        except ServerError as error:
            raise _final(error.code, error.message) from error
        return stored.active

    @activity.defn(name=START_ACTIVITY)
    async def start(self, order: StartOrder) -> str:
        """Check the version against the catalog as it is now, and start the run."""
        name = order.spec.definition
        try:
            version = (await self._store.get(name)).value.get(name, order.version)
            text = await self._store.text(name, version)
            request = SubmitRequest(
                yaml=text.yaml,
                filename=text.filename,
                files=text.files,
                vars=order.spec.vars,
                inputs=order.spec.inputs,
                labels=[*order.spec.labels, definition_label(name)],
                idempotency_key=order.key,
            )
            prepared = await self._submissions.prepare(request, f"schedule {order.schedule}")
            run_id, _ = await self._runs.submit(msgspec.structs.replace(prepared.submission, event=order.event))
        except (ServerError, RunError) as error:
            raise _final(error.code, str(error)) from error
        return run_id

    @activity.defn(name=OUTCOME_ACTIVITY)
    async def outcome(self, run_id: str) -> Outcome:
        """How the run ended."""
        try:
            run = await self._runs.get(run_id, full=False)
        except RunError as error:  # forgotten in the very moment
            return Outcome(state=State.FAILED, reason=str(error))
        return Outcome(state=run.state, reason=run.reason)


def _final(code: str, message: str) -> ApplicationError:
    return ApplicationError(message, type=code, non_retryable=True)


def schedule_activities(client: Client, secrets: SecretReferences) -> list[Callable[..., Any]]:
    """The activities for the server's worker on the orchestrator queue."""
    activities = TriggerActivities(client, secrets)
    return [activities.pick, activities.start, activities.outcome]
