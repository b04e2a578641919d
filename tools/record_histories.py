"""Record the histories of `conformance/histories`, which the replay tests replay on every change.

    python tools/record_histories.py [FEATURE ...]

A real site (Temporal, server, agents) runs the `workflow.yaml` of each feature's folder. What Temporal then keeps of
the run and its jobs is written beside it, as `<workflow id>.json`; `presence` and `documents` have no workflow file:
they are driven from here. Payloads stay sealed, with the test key of `conformance/histories/keys.json`; names and paths
of the machine that records are replaced.

Record anew only when the commands of the interpreter change on purpose and no run of an older version has to survive.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle

REPOSITORY = Path(__file__).resolve().parents[1]
HISTORIES = REPOSITORY / "conformance" / "histories"
sys.path.insert(0, str(REPOSITORY / "integration-tests"))

from harness import Site  # noqa: E402 - of the integration tests, which are no package
from harness.site import until  # noqa: E402

from waterflow_sdk.client import Run  # noqa: E402
from waterflow_sdk.codec import KeyRing, PayloadCodec  # noqa: E402
from waterflow_sdk.wire import AgentStatus, RunState, ScheduleSpec, State  # noqa: E402
from waterflow_server._converter import data_converter  # noqa: E402
from waterflow_server.concurrency import lock_workflow_id  # noqa: E402
from waterflow_server.documents import (  # noqa: E402
    DOCUMENT_WORKFLOW,
    VALUE_MEMO,
    VERSION_MEMO,
    DocumentPut,
    DocumentSeed,
)
from waterflow_server.presence import ModeChange  # noqa: E402
from waterflow_server.schedules import TRIGGER_WORKFLOW  # noqa: E402
from waterflow_server.schedules._wire import TriggerOrder  # noqa: E402

Act = Callable[[Site, Run], Awaitable[None]]

ENDS: dict[str, State] = {
    "approval-rejected": State.FAILED,
    "approval-timeout": State.FAILED,
    "cancel": State.CANCELLED,
    "cancel-forced": State.CANCELLED,
    "cancel-forced-at-once": State.CANCELLED,
    "cancel-sleeping": State.CANCELLED,
    "call-cancelled": State.CANCELLED,
    "cancel-waiting-for-agent": State.CANCELLED,
    "endings": State.FAILED,
    "environment": State.FAILED,
    "expression-error": State.FAILED,
    "fail": State.FAILED,
    "group-unknown": State.FAILED,
    "job-timeout": State.FAILED,
    "matrix-fail-fast": State.FAILED,
    "needs-failed": State.FAILED,
    "outputs-too-large": State.FAILED,
    "parallel-fail-fast": State.FAILED,
    "retry-spent": State.FAILED,
    "rollback-in-loop": State.FAILED,
    "rolled-over": State.FAILED,
    "run-timeout": State.TIMED_OUT,
    "step-timeout": State.FAILED,
    "while-endless": State.FAILED,
}
"""How a feature's run has to end for its recording to be what it says; success where nothing is said."""

GROUPS = {"concurrency": "database", "concurrency-rejected": "storage"}
"""Concurrency groups whose coordinators are recorded too."""

HISTORY_EVENTS = {"rolled-over": 30}
"""Features that are recorded with a server whose workflows roll over so early (the setting of that name)."""

SECRETS = {"environment": {"TOKEN": "a-value-for-tests"}}


# ── what happens to a run while it goes on ──


async def _until_job(run: Run, check: Callable[[RunState], bool], what: str) -> RunState:
    found: list[RunState] = []

    async def holds() -> bool:
        found[:] = [await run.status()]
        return bool(found[0].jobs) and check(found[0])

    await until(holds, what)
    return found[0]


def _step_runs(state: RunState) -> bool:
    steps = state.jobs[0].steps
    return any(step.state in (State.RUNNING, State.WAITING) for step in steps) and steps[-1].state is not State.SUCCESS


def _first_ended(state: RunState) -> bool:
    return state.jobs[0].steps[0].state is State.SUCCESS


async def _cancel(_site: Site, run: Run) -> None:
    await _until_job(run, lambda state: _step_runs(state) and _first_ended(state), "the second step runs")
    await run.cancel("enough")


async def _cancel_first_step(_site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "a step runs")
    await run.cancel("enough")


async def _cancel_forced(_site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "a step runs")
    await run.cancel("now", force=True)


async def _cancel_waiting(_site: Site, run: Run) -> None:
    await _until_job(run, lambda state: "nobody" in state.jobs[0].reason, "the job waits for an agent")
    await run.cancel("enough")


async def _send_go(_site: Site, run: Run) -> None:
    def waits(state: RunState) -> bool:
        return sum(job.instance.endswith("/gate") and job.state is State.WAITING for job in state.jobs) == 2

    await _until_job(run, waits, "both called workflows wait")
    await run.pause("lunch")
    await run.resume()
    await run.send_event("go")


async def _cancel_called(_site: Site, run: Run) -> None:
    def runs(state: RunState) -> bool:
        return len(state.jobs) > 1 and any(step.state is State.RUNNING for step in state.jobs[1].steps)

    await _until_job(run, runs, "the called workflow runs")
    await run.cancel("enough")


async def _approve_environment(_site: Site, run: Run) -> None:
    await _until_job(run, lambda state: state.jobs[0].state is State.WAITING, "the job waits for approval")
    await run.approve(by="ops")


async def _lose_agent(site: Site, run: Run) -> None:
    state = await _until_job(run, _step_runs, "a step runs")
    assert state.jobs[0].agent is not None
    site.agents[state.jobs[0].agent.name].kill()


async def _tell(site: Site, run: Run, what: str, **body: Any) -> None:
    address = f"{site.url}/v1/workflows/{run.id}/{what}"
    async with aiohttp.ClientSession() as session, session.post(address, json=body) as answer:
        answer.raise_for_status()


async def _approve(site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "the approval waits")
    await _tell(site, run, "approve", by="ops", inputs={"ticket": "T-1"})


async def _reject(site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "the approval waits")
    await _tell(site, run, "reject", by="boss", comment="not on a Friday")


async def _pause(site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "the first step runs")
    await _tell(site, run, "pause", reason="lunch")
    await _until_job(run, _first_ended, "the first step has ended")
    await _tell(site, run, "resume")


async def _send_events(site: Site, run: Run) -> None:
    await _until_job(run, _step_runs, "a step waits")
    await _tell(site, run, "events", name="other")
    await _tell(site, run, "events", name="shipped", payload={"number": 7})


ACTS: dict[str, Act] = {
    "agent-lost": _lose_agent,
    "approval": _approve,
    "approval-rejected": _reject,
    "call": _send_go,
    "call-cancelled": _cancel_called,
    "cancel": _cancel,
    "cancel-forced": _cancel_forced,
    "cancel-forced-at-once": _cancel_forced,
    "cancel-sleeping": _cancel_first_step,
    "cancel-waiting-for-agent": _cancel_waiting,
    "environment-approval": _approve_environment,
    "pause": _pause,
    "wait": _send_events,
}


# ── recordings ──


async def _restart_with(site: Site, history_events: int | None) -> None:
    """A server that lets histories grow so long, or as long as it does by default."""
    environ = {} if history_events is None else {"WATERFLOW_HISTORY_EVENTS": str(history_events)}
    if environ != site.server_environ:
        site.kill_server()
        site.server_environ = environ
        await site.start_server()


async def record_run(site: Site, recorder: Recorder, feature: str) -> None:
    """Run the feature's workflow and record it and all its jobs."""
    text = (HISTORIES / feature / "workflow.yaml").read_text()
    files = {path.name: path.read_text() for path in (HISTORIES / feature).glob("*.yaml")}
    del files["workflow.yaml"]
    # The idempotency key decides the run's id, so that a new recording replaces the old one.
    run = await site.client.submit(
        text, secrets=SECRETS.get(feature, {}), idempotency_key=f"conformance-{feature}", files=files
    )
    if act := ACTS.get(feature):
        await act(site, run)
    state = await run.wait(90)
    expected = ENDS.get(feature, State.SUCCESS)
    if state.state is not expected:
        why = state.error or state.reason
        raise SystemExit(f"{feature} ended with {state.state.value}, not {expected.value}: {why}")
    await recorder.record(feature, f"run/{run.id}")
    if group := GROUPS.get(feature):
        await recorder.record(feature, lock_workflow_id(group))


async def record_presence(site: Site, recorder: Recorder) -> None:
    """An agent's life: hello, lease, groups, modes, bye, a second incarnation, loss, removal."""
    agent = site.start_agent("short-lived", ["web"])
    await site.until_online(agent.name)
    found = next(each for each in await site.client.agents() if each.name == agent.name)
    handle: WorkflowHandle[Any, Any] = recorder.client.get_workflow_handle(f"agent/{found.id}")
    await handle.execute_update("assign", ["db"])
    for mode in ("cordon", "drain", "uncordon"):
        await handle.execute_update(mode, ModeChange(reason="for the recording"))
    for end in ("terminate", "kill"):
        assert agent.process is not None
        getattr(agent.process, end)()
        await asyncio.to_thread(agent.process.wait, 30)
        await _until_offline(site, agent.name)
        if end == "terminate":
            site.start_agent(agent.name)
            await site.until_online(agent.name)
    await handle.execute_update("remove")
    await recorder.record("presence", handle.id)


async def record_groups(site: Site, recorder: Recorder) -> None:
    """Groups of the server: an agent in them from its hello on, and by a change; the reconciler until its end."""
    groups = site.client.groups
    await groups.apply("server_groups: [{name: recorded, tags: [linux]}, {name: outer, include_groups: [recorded]}]")
    agent = site.start_agent("grouped", ["web"])
    await site.until_online(agent.name)
    await groups.create("late", agents=[agent.name])
    await groups.apply("server_groups: []", prune=True)
    reconciler: WorkflowHandle[Any, Any] = recorder.client.get_workflow_handle("groups/reconcile")
    await reconciler.result()
    await recorder.record("groups", reconciler.id)
    found = await site.client.agent(agent.name)
    agent.kill()
    await _until_offline(site, agent.name)
    await site.client.remove_agent(found.id)
    await recorder.record("groups", f"agent/{found.id}")


async def _until_offline(site: Site, name: str) -> None:
    async def offline() -> bool:
        return any(each.name == name and each.status is AgentStatus.OFFLINE for each in await site.client.agents())

    await until(offline, f"{name} is offline", within=60)


async def record_documents(_site: Site, recorder: Recorder) -> None:
    """A document: made, changed twice, deleted."""
    handle: WorkflowHandle[Any, Any] = await recorder.client.start_workflow(
        DOCUMENT_WORKFLOW,
        DocumentSeed(),
        id="doc/note/of-the-day",
        task_queue="waterflow",
        memo={VALUE_MEMO: {"text": "one"}, VERSION_MEMO: 1},
    )
    for expected, text in ((1, "two"), (2, "three")):
        await handle.execute_update("put", DocumentPut(expected=expected, value={"text": text}))
    await handle.execute_update("delete", 3)
    await recorder.record("documents", handle.id)


async def record_schedules(site: Site, recorder: Recorder) -> None:
    """Times of a schedule: one whose run succeeds, one that is cancelled for the next, one that cannot start."""
    quick = "jobs: {work: {runs-on: web, steps: [{run: 'true'}]}}"
    await site.client.definitions.apply("recorded", quick)
    await site.client.definitions.apply("recorded-long", quick.replace("true", "sleep 60"))
    for name, definition in (("done", "recorded"), ("cancelled", "recorded-long"), ("broken", "missing")):
        order = TriggerOrder(name=name, spec=ScheduleSpec(definition=definition, cron="@daily"))
        handle: WorkflowHandle[Any, Any] = await recorder.client.start_workflow(
            TRIGGER_WORKFLOW, order, id=f"trigger/{name}", task_queue="waterflow"
        )
        if name == "cancelled":
            await _until_run(site, f"schedule {name}")
            await handle.cancel()
        await handle.result()
        await recorder.record("schedules", handle.id)


async def _until_run(site: Site, started_by: str) -> None:
    async def listed() -> bool:
        return started_by in {run.started_by async for run in site.client.runs()}

    await until(listed, f"there is a run that {started_by} started", within=60)


DRIVEN: dict[str, Callable[[Site, Recorder], Awaitable[None]]] = {
    "documents": record_documents,
    "groups": record_groups,
    "presence": record_presence,
    "schedules": record_schedules,
}


# ── from Temporal to files ──


class Recorder:
    """Writes histories as they are in Temporal, without what belongs to this machine."""

    def __init__(self, client: Client, codec: PayloadCodec, root: Path) -> None:
        self.client = client
        self._codec = codec
        # As words of their own: a host may have a name as short as `vm`.
        self._replaced = {
            re.compile(rf"(?<![A-Za-z0-9]){re.escape(found)}(?![A-Za-z0-9])"): instead
            for found, instead in (
                (str(root), "/srv/waterflow"),
                (str(REPOSITORY), "/usr/src/waterflow"),
                (sys.prefix, "/usr"),  # in stack traces
                (socket.gethostname(), "recorder"),
            )
        }

    async def record(self, feature: str, workflow_id: str) -> None:
        """Write the history of a workflow and of all its children; what it was continued from as ``<id>~1.json``, …"""
        run_id, number = None, 0
        while number == 0 or run_id:
            name = f"{workflow_id}~{number}" if number else workflow_id
            run_id = await self._record_one(feature, workflow_id, run_id, name)
            number += 1

    async def _record_one(self, feature: str, workflow_id: str, run_id: str | None, name: str) -> str:
        """Write one history; returns the id of the run that it continues."""
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)
        history = json.loads((await handle.fetch_history()).to_json())
        events = [json.dumps(self._clean(event), separators=(",", ":")) for event in history["events"]]
        path = HISTORIES / feature / f"{self._replace(name)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        # An event a line, so that two recordings can be compared.
        path.write_text('{"events":[\n' + ",\n".join(events) + "\n]}\n")
        for child in _children(history["events"]):
            await self.record(feature, child)
        return history["events"][0]["workflowExecutionStartedEventAttributes"].get("continuedExecutionRunId", "")

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            if isinstance(value.get("metadata"), dict) and isinstance(value.get("data"), str):
                return self._clean_payload(value)
            return {key: self._clean(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._clean(each) for each in value]
        return self._replace(value) if isinstance(value, str) else value

    def _clean_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        metadata = {key: base64.b64decode(text) for key, text in payload["metadata"].items()}
        data = base64.b64decode(payload["data"])
        if "key" not in metadata:
            return {**payload, "data": base64.b64encode(self._replace(data.decode()).encode()).decode()}
        inner = Payload.FromString(self._codec.open(data, metadata))
        inner.data = self._replace(inner.data.decode()).encode()
        sealed = self._codec.seal(inner.SerializeToString())
        return {
            "metadata": {key: base64.b64encode(text).decode() for key, text in sealed.metadata.items()},
            "data": base64.b64encode(sealed.data).decode(),
        }

    def _replace(self, text: str) -> str:
        for found, instead in self._replaced.items():
            text = found.sub(instead, text)
        return text


def _children(events: list[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        if started := event.get("childWorkflowExecutionStartedEventAttributes"):
            yield started["workflowExecution"]["workflowId"]


def features() -> list[str]:
    """All that can be recorded; the one that kills an agent comes last."""
    with_file = [path.parent.name for path in HISTORIES.glob("*/workflow.yaml")]
    return sorted({*with_file, *DRIVEN}, key=lambda name: (name == "agent-lost", name))


async def main(wanted: list[str]) -> None:
    """Record the wanted features, or all."""
    root = Path(tempfile.mkdtemp(prefix="waterflow-record-"))
    shutil.copy(HISTORIES / "keys.json", root / "keys.json")
    (root / "keys.json").chmod(0o600)
    codec = PayloadCodec(KeyRing.load(root / "keys.json"))
    async with Site.create(root, agents=["web-01", "web-02"]) as site:
        site.start_agent("db-01", ["db"], WATERFLOW_TAGS="ssd")
        await site.until_online("db-01")
        client = await Client.connect(site.temporal.address, data_converter=data_converter(codec))
        recorder = Recorder(client, codec, root)
        for feature in wanted or features():
            for kind in ("run", "lock", "agent", "doc", "trigger"):
                shutil.rmtree(HISTORIES / feature / kind, ignore_errors=True)
            await _restart_with(site, HISTORY_EVENTS.get(feature))
            if driven := DRIVEN.get(feature):
                await driven(site, recorder)
            else:
                await record_run(site, recorder, feature)
            print(f"recorded {feature}", flush=True)
    shutil.rmtree(root)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Record the histories that the replay tests replay.")
    parser.add_argument("features", nargs="*", choices=[*features(), []], metavar="FEATURE", help=", ".join(features()))
    asyncio.run(main(parser.parse_args().features))
