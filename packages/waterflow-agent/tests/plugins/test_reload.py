"""Hot reload: what changes is live without a restart, steps that run end with the code they began with."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from pathlib import Path

from waterflow_agent._plugins._code import PREFIX
from waterflow_sdk.testing import run_node_async

from .conftest import NODE, Plugins

WITHIN = 60.0
"""Seconds; benchmarks have the figures."""

LATE = '''
import asyncio
from pathlib import Path
from waterflow_sdk.node import Node

class Greet(Node):
    """Says a word late."""
    name = "demo/greet"
    version = "1.0.0"
    async def execute(self, ctx, inputs):
        ctx.log.info("begun")
        while not (ctx.workspace / "go").exists():
            await asyncio.sleep(0.01)
        from .words import WORD
        return {"word": WORD}
'''


class TestWatch:
    async def test_a_file_that_is_dropped_changed_and_removed(self, plugins: Plugins) -> None:
        await plugins.discovery.refresh()
        with plugins.watched() as changed:
            for version in ("1.0.0", "2.0.0"):
                plugins.node("demo.py", version=version)
                await asyncio.wait_for(changed.wait(), WITHIN)
                changed.clear()
                found = plugins.registry.get("demo/greet")
                assert found is not None
                assert found.manifest.version == version
            (plugins.root / "demo.py").unlink()
            await asyncio.wait_for(changed.wait(), WITHIN)
            assert plugins.registry.names == []

    async def test_the_directory_itself_may_come_later(self, plugins: Plugins) -> None:
        plugins.root.rmdir()
        await plugins.discovery.refresh()
        with plugins.watched() as changed:
            plugins.node("custom/demo.py")
            await asyncio.wait_for(changed.wait(), WITHIN)
            assert plugins.registry.names == ["demo/greet"]

    async def test_a_file_that_is_written_slowly_is_taken_when_it_is_whole(self, plugins: Plugins) -> None:
        plugins.node("demo.py", word="old")
        await plugins.discovery.refresh()
        text = NODE.format(name="demo/greet", version="2.0.0", word="new")
        with plugins.watched() as changed, (plugins.root / "demo.py").open("w") as file:
            for character in text[:-1]:
                file.write(character)
                file.flush()
                await asyncio.sleep(0.004)
                assert plugins.registry.broken == []
            file.write(text[-1])
            file.flush()
            await asyncio.wait_for(changed.wait(), WITHIN)
            found = plugins.registry.get("demo/greet")
            assert found is not None
            assert found.manifest.version == "2.0.0"

    async def test_looking_costs_next_to_nothing(self, plugins: Plugins) -> None:
        for number in range(20):
            plugins.node(f"custom/demo{number}.py", f"demo/greet{number}")
        await plugins.discovery.refresh()
        before = time.process_time()
        for _ in range(40):
            assert not plugins.discovery.differs()
        per_second = (time.process_time() - before) / 40 / 0.25
        print(f"\nidle: {per_second * 100:.2f} % of a core with 20 plug-ins")  # noqa: T201
        assert per_second < 0.1


class TestRunningSteps:
    async def test_end_with_the_code_they_began_with_even_what_they_import_late(
        self, plugins: Plugins, tmp_path: Path
    ) -> None:
        plugins.write("demo/__init__.py", LATE)
        plugins.write("demo/words.py", "WORD = 'old'\n")
        await plugins.discovery.refresh()
        held = plugins.registry.get("demo/greet")  # as the runner does while the step runs
        assert held is not None
        begun = asyncio.Event()
        step = asyncio.create_task(
            run_node_async(held.node, {}, workspace=tmp_path, on_record=lambda _record: begun.set())
        )
        await begun.wait()
        plugins.write("demo/words.py", "WORD = 'new'\n")
        await plugins.discovery.refresh()
        (tmp_path / "go").touch()
        assert (await step).outputs == {"word": "old"}
        now = plugins.registry.get("demo/greet")
        assert now is not None
        assert (await run_node_async(now.node, {}, workspace=tmp_path)).outputs == {"word": "new"}

    def test_code_that_nobody_runs_is_forgotten(self, plugins: Plugins) -> None:
        plugins.write("demo/__init__.py", LATE)
        plugins.write("demo/words.py", "WORD = 'old'\n")
        before = set(sys.modules)
        plugins.refresh()
        (own,) = set(sys.modules) - before
        assert own.startswith(PREFIX)
        (plugins.root / "demo" / "__init__.py").unlink()
        plugins.refresh()
        gc.collect()  # as the watcher does after every change
        assert own not in sys.modules


class TestContent:
    def test_a_change_of_the_same_size_within_the_same_second(self, plugins: Plugins) -> None:
        words: list[object] = []
        for word in ("aa", "bb", "cc"):
            plugins.node("demo.py", word=word)
            plugins.refresh()
            words.append(plugins.word())
        assert words == ["aa", "bb", "cc"]

    def test_new_code_behind_the_same_manifest_is_used_and_not_announced(self, plugins: Plugins) -> None:
        plugins.node("demo.py", word="old")
        plugins.refresh()
        plugins.node("demo.py", word="new")
        assert not plugins.refresh()
        assert plugins.word() == "new"


class TestLeaks:
    def test_200_reloads_leave_nothing_behind(self, plugins: Plugins) -> None:
        """Resident memory says little in a process that ran other tests; a soak test looks at an agent's."""

        def reload(times: int) -> tuple[int, int]:
            for number in range(times):
                plugins.node("demo.py", word=str(number), version=f"1.0.{number}")
                plugins.write("pack/__init__.py", LATE.replace("demo/greet", "demo/late") + f"X = {number}\n")
                assert plugins.refresh()
            gc.collect()
            return len(gc.get_objects()), len(sys.modules)

        gc.collect()  # what other tests left
        reload(20)
        first = reload(20)
        last = reload(200)
        assert last[1] == first[1]
        assert last[0] - first[0] < 200
