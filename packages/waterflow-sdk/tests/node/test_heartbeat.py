"""``ctx.heartbeat()``: where a loop of a synchronous node learns that its step is to end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from waterflow_sdk.node import NodeCancelled, NodeContext, SyncNodeContext, node
from waterflow_sdk.testing import run_node, run_node_async
from waterflow_sdk.wire import LogRecord


class TestHeartbeat:
    def test_changes_nothing_while_the_step_is_wanted(self) -> None:
        @node(name="demo/beat", version="1.0.0")
        async def beat(ctx: NodeContext) -> None:
            """Beats once."""
            ctx.heartbeat()

        result = run_node(beat)
        assert (result.ok, result.records) == (True, [])

    async def test_ends_a_loop_of_a_cancelled_step(self) -> None:
        loop, ready, said = asyncio.get_running_loop(), asyncio.Event(), list[str]()

        @node(name="demo/loop", version="1.0.0")
        def beat(ctx: SyncNodeContext) -> None:
            """Beats for ever."""
            ctx.stdout.write("ready\n")
            try:
                while True:
                    ctx.heartbeat()
                    threading.Event().wait(0.01)
            except NodeCancelled as error:
                said.append(error.message)
                raise

        def seen(record: LogRecord) -> None:
            if record.text == "ready":
                loop.call_soon_threadsafe(ready.set)

        task = asyncio.create_task(run_node_async(beat, on_record=seen, kill_grace=60.0))
        await ready.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert said == ["the step was cancelled"]
