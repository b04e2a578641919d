"""Workflows without a file: agents, groups, documents, times of schedules."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from harness import Site
from harness.site import until
from temporalio.client import WorkflowHandle

from waterflow_sdk.wire import AgentStatus, ScheduleSpec
from waterflow_server.documents import (
    DOCUMENT_WORKFLOW,
    VALUE_MEMO,
    VERSION_MEMO,
    DocumentPut,
    DocumentSeed,
)
from waterflow_server.presence import ModeChange
from waterflow_server.schedules import TRIGGER_WORKFLOW
from waterflow_server.schedules._wire import TriggerOrder

from ._recorder import Recorder


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


async def record_take_over(site: Site, recorder: Recorder) -> None:
    """Two agents with one id: modes that the first is told, the second refused and shown, then in its place."""
    own = {"WATERFLOW_AGENT_ID": "shared"}
    first = site.start_agent("first", ["web"], **own)
    await site.until_online(first.name)
    for mode in ("cordon", "uncordon"):
        await getattr(site.client, f"{mode}_agent")("shared")
    second = site.start_agent("second", ["web"], **own)

    async def refused() -> bool:
        return (await site.client.agent("shared")).duplicate is not None

    await until(refused, "the second one is shown")
    for agent in (first, second):
        await site.until_online(agent.name)
        assert agent.process is not None
        agent.process.terminate()
        await asyncio.to_thread(agent.process.wait, 60)
    await _until_offline(site, second.name)
    await site.client.remove_agent("shared")
    await recorder.record("take-over", "agent/shared")


_PLUGIN = '''
from waterflow_sdk.node import Node

class Greet(Node):
    """Says a word."""
    name = "demo/greet"
    version = "1.0.0"
    async def execute(self, ctx, inputs):
        return {"word": "hello"}
'''


async def record_node_returns(site: Site, recorder: Recorder) -> None:
    """An agent that has a node, has it no more, and has it again."""
    plugins = site.root / "plugins"
    plugins.mkdir()
    plugin = plugins / "greet.py"
    agent = site.start_agent("changing", ["web"], WATERFLOW_AGENT_ID="changing", PLUGIN_DIR=str(plugins))
    await site.until_online(agent.name)
    for there in (True, False, True):
        if there:
            plugin.write_text(_PLUGIN)
        else:
            plugin.unlink()

        async def known(there: bool = there) -> bool:
            shown = await site.client.agent("changing")
            return ("demo/greet" in shown.nodes) is there and shown.status is AgentStatus.ONLINE

        await until(known, "the agent has told its nodes")
    agent.kill()
    await _until_offline(site, agent.name)
    await site.client.remove_agent("changing")
    await recorder.record("node-returns", "agent/changing")


async def record_asked_at_hello(site: Site, recorder: Recorder) -> None:
    """An agent whose groups are asked for in the task that takes its hello: it comes, is lost and comes back."""
    await site.client.groups.create("given", tags=["linux"])
    for _ in range(2):
        agent = site.start_agent("asked", ["web"], WATERFLOW_AGENT_ID="asked")
        await site.until_online(agent.name)
        agent.kill()
        await _until_offline(site, agent.name)
    await site.client.remove_agent("asked")
    await recorder.record("asked-at-hello", "agent/asked")


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


async def record_documents(_site: Site, recorder: Recorder, feature: str = "documents") -> None:
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
    await recorder.record(feature, handle.id)


async def record_quiet_end(site: Site, recorder: Recorder) -> None:
    """The same, by a workflow that waits for a quiet moment before it ends."""
    await record_documents(site, recorder, "quiet-end")


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
    "asked-at-hello": record_asked_at_hello,
    "documents": record_documents,
    "groups": record_groups,
    "node-returns": record_node_returns,
    "presence": record_presence,
    "quiet-end": record_quiet_end,
    "schedules": record_schedules,
    "take-over": record_take_over,
}
