"""Lists of runs, from visibility alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from waterflow_sdk.wire import RunPage, RunSummary, State

from .. import _search_attributes as attributes
from ._submission import RUN_KIND

_OUTSIDE = {
    WorkflowExecutionStatus.TERMINATED: State.CANCELLED,
    WorkflowExecutionStatus.CANCELED: State.CANCELLED,
    WorkflowExecutionStatus.TIMED_OUT: State.TIMED_OUT,
}


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs: all that is given must hold.

    ``since`` and ``until`` bound the time of the submit. ``text`` is what the name, the id or who started it begins
    with, or a whole label: more the visibility stores of Temporal cannot look for.
    """

    states: Sequence[State] = ()
    name: str | None = None
    label: str | None = None
    started_by: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


async def list_runs(client: Client, query: RunQuery, limit: int, cursor: str | None) -> RunPage:
    """A page, newest first. Raises ValueError for a cursor that is not one of ours, or a value that cannot be asked."""
    token = base64.urlsafe_b64decode(cursor) if cursor else None
    found = client.list_workflows(" AND ".join(_terms(query)), page_size=limit, next_page_token=token)
    await found.fetch_next_page()
    items = [summary(execution) for execution in found.current_page or []]
    following = base64.urlsafe_b64encode(found.next_page_token).decode() if found.next_page_token else None
    return RunPage(items=items, next=following)


async def retries_of(client: Client, run_id: str) -> list[tuple[datetime, str]]:
    """The runs that retry this one, oldest first, with the time of their submit."""
    query = f"{attributes.LINK.name} = {quote(run_id)}"
    found = [execution async for execution in client.list_workflows(query)]
    return sorted((each.start_time, each.id.removeprefix("run/")) for each in found)


def summary(execution: WorkflowExecution) -> RunSummary:
    """A run as visibility knows it."""
    known = execution.typed_search_attributes
    state = State(known.get(attributes.STATE) or State.RUNNING.value)
    if execution.status not in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED):
        state = _OUTSIDE.get(execution.status, State.FAILED) if execution.status else state
    return RunSummary(
        id=execution.id.removeprefix("run/"),
        name=known.get(attributes.NAME) or "",
        state=state,
        started_by=known.get(attributes.STARTED_BY) or "",
        labels=list(known.get(attributes.TAGS) or []),
        submitted=execution.start_time,
        ended=execution.close_time,
    )


def quote(value: str) -> str:
    """A string of Temporal's list filter. There is no escape in it, so quotes cannot be part of a value."""
    if "'" in value and '"' in value:
        raise ValueError(f"a filter value cannot hold both kinds of quotes: {value}")
    return f'"{value}"' if "'" in value else f"'{value}'"


def _terms(query: RunQuery) -> Iterator[str]:
    yield f"{attributes.KIND.name} = '{RUN_KIND}'"
    if query.states:
        wanted = " OR ".join(f"{attributes.STATE.name} = {quote(state.value)}" for state in query.states)
        yield f"({wanted})"
    for key, value in (
        (attributes.NAME, query.name),
        (attributes.TAGS, query.label),
        (attributes.STARTED_BY, query.started_by),
    ):
        if value:
            yield f"{key.name} = {quote(value)}"
    if query.since is not None:
        yield f"StartTime >= {_moment(query.since)}"
    if query.until is not None:
        yield f"StartTime <= {_moment(query.until)}"
    if query.text:
        yield f"({' OR '.join(_beginnings(query.text))})"


def _beginnings(text: str) -> Iterator[str]:
    for name, value in (
        (attributes.NAME.name, text),
        (attributes.STARTED_BY.name, text),
        ("WorkflowId", f"run/{text}"),
    ):
        yield f"{name} STARTS_WITH {quote(value)}"
    yield f"{attributes.TAGS.name} = {quote(text)}"


def _moment(time: datetime) -> str:
    return quote(time.astimezone(UTC).isoformat().replace("+00:00", "Z"))
