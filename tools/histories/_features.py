"""Runs of the workflow files: how each has to end, what it gets, and what is recorded beside it."""

from __future__ import annotations

from harness import Site

from waterflow_sdk.client import Run
from waterflow_sdk.wire import State
from waterflow_server.concurrency import lock_workflow_id

from ._acts import ACTS
from ._recorder import HISTORIES, Recorder

ENDS: dict[str, State] = {
    "approval-rejected": State.FAILED,
    "approval-timeout": State.FAILED,
    "cancel": State.CANCELLED,
    "cancel-forced": State.CANCELLED,
    "cancel-forced-at-once": State.CANCELLED,
    "cancel-sleeping": State.CANCELLED,
    "cancel-in-loop": State.CANCELLED,
    "call-cancelled": State.CANCELLED,
    "cancel-waiting-for-agent": State.CANCELLED,
    "endings": State.FAILED,
    "environment": State.FAILED,
    "expression-error": State.FAILED,
    "fail": State.FAILED,
    "group-unknown": State.FAILED,
    "job-timeout": State.FAILED,
    "limits": State.FAILED,
    "matrix-fail-fast": State.FAILED,
    "needs-failed": State.FAILED,
    "nobody-able": State.FAILED,
    "outputs-too-large": State.FAILED,
    "outputs-too-large-set": State.FAILED,
    "parallel-fail-fast": State.FAILED,
    "retry-spent": State.FAILED,
    "rollback-in-loop": State.FAILED,
    "rolled-over": State.FAILED,
    "run-timeout": State.TIMED_OUT,
    "secrets-missing": State.FAILED,
    "step-timeout": State.FAILED,
    "stop-while-telling": State.CANCELLED,
    "while-endless": State.FAILED,
}
"""How a feature's run has to end for its recording to be what it says; success where nothing is said."""

GROUPS = {"concurrency": "database", "concurrency-rejected": "storage"}
"""Concurrency groups whose coordinators are recorded too."""

HISTORY_EVENTS = {"rolled-over": 30}
"""Features that are recorded with a server whose workflows roll over so early (the setting of that name)."""

SECRETS = {"environment": {"TOKEN": "a-value-for-tests"}}

RACES = {"stop-while-telling": "2026-11-stop-while-telling"}
"""Features that need luck: they are run until a job has come upon this version marker."""

_MOST_TRIES = 40


async def record_run(site: Site, recorder: Recorder, feature: str) -> None:
    """Run the feature's workflow and record it and all its jobs."""
    run = await _run(site, feature, "")
    marker = RACES.get(feature)
    tries = 1
    while marker and not await recorder.has_marker(f"run/{run.id}/work", marker):
        if tries == _MOST_TRIES:
            raise SystemExit(f"{feature}: {tries} runs and none came upon {marker}")
        run = await _run(site, feature, f"-{tries}")
        tries += 1
    await recorder.record(feature, f"run/{run.id}")
    if group := GROUPS.get(feature):
        await recorder.record(feature, lock_workflow_id(group))


async def _run(site: Site, feature: str, which: str) -> Run:
    """A run to its end, which has to be the feature's."""
    text = (HISTORIES / feature / "workflow.yaml").read_text()
    files = {path.name: path.read_text() for path in (HISTORIES / feature).glob("*.yaml")}
    del files["workflow.yaml"]
    # The idempotency key decides the run's id, so that a new recording replaces the old one.
    run = await site.client.submit(
        text, secrets=SECRETS.get(feature, {}), idempotency_key=f"conformance-{feature}{which}", files=files
    )
    if act := ACTS.get(feature):
        await act(site, run)
    state = await run.wait(90)
    expected = ENDS.get(feature, State.SUCCESS)
    if state.state is not expected:
        why = state.error or state.reason
        raise SystemExit(f"{feature} ended with {state.state.value}, not {expected.value}: {why}")
    return run
