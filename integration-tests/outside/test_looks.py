"""What is asked about a run: its past, its file, outputs, lists, errors, kept logs; and that it can be forgotten."""

from __future__ import annotations

import asyncio
import textwrap
from datetime import UTC, datetime, timedelta

import pytest
from harness import Site
from harness.site import until

from outside._watcher import states
from waterflow_sdk.client import InvalidRequest, Run, RunNotEnded, RunNotFound
from waterflow_sdk.wire import EventKind, State

pytestmark = pytest.mark.asyncio(loop_scope="session")

GATED = """
    name: gated-look
    jobs:
      a:
        runs-on: web
        outputs: {n: "${{ steps.first.outputs.n }}"}
        steps:
          - {id: first, run: 'echo "n=1" >> "$WATERFLOW_OUTPUT"'}
          - uses: approval
            with: {message: Go on?}
          - run: echo after
"""


async def in_state(run: Run, state: State) -> None:
    async def there() -> bool:
        return (await run.status("summary")).state is state

    await until(there, f"the run is {state.value}")


class TestEvents:
    async def test_come_at_once_and_go_on_over_a_restart_of_the_server(self, site: Site) -> None:
        run = await site.submit(GATED)
        late: list[float] = []
        ids: list[str] = []
        async with asyncio.timeout(300), run.events() as events:
            async for event in events:
                ids.append(event.id)
                if event.kind is EventKind.APPROVAL and event.state is State.WAITING:
                    late.append((datetime.now(UTC) - event.time) / timedelta(seconds=1))
                    site.kill_server()
                    await site.start_server()
                    await run.approve(by="ann")
        async with run.events() as again:
            assert set(ids) == {event.id async for event in again}
        assert len(ids) == len(set(ids))
        assert events.end is not None
        assert events.end.state is State.SUCCESS
        assert late[0] < 60  # under a second on a machine that does nothing else


class TestPast:
    async def test_the_tree_is_what_was_seen_then(self, site: Site) -> None:
        run = await site.submit(GATED)
        await in_state(run, State.WAITING)
        seen = await run.status("full")
        moment = datetime.now(UTC)
        await asyncio.sleep(0.1)
        await run.approve(by="ann")
        ended = await run.wait(180)
        assert list(states(await run.status("full", moment))) == list(states(seen))
        assert list(states(await run.status("full", datetime.now(UTC)))) == list(states(ended))
        with pytest.raises(InvalidRequest, match=f"run {run.id} was submitted only at "):
            await run.status("full", moment - timedelta(days=1))


class TestLists:
    async def test_by_state_time_and_text(self, site: Site) -> None:
        before = datetime.now(UTC)
        run = await site.submit(GATED.replace("gated-look", "list-look"), labels=["looked-at"])

        async def found(**query: object) -> bool:
            return [each.id async for each in site.client.runs(**query)] == [run.id]  # type: ignore[arg-type]

        await until(lambda: found(state=State.WAITING, since=before, text="list-lo"), "it is listed as waiting")
        assert await found(text="looked-at")
        assert await found(text=run.id[:20])
        assert not await found(text="list-look", until=before)
        await run.approve(by="ann")
        await run.wait(180)
        await until(lambda: found(state=State.SUCCESS, text="list-look"), "it is listed as ended")


class TestDocuments:
    async def test_file_and_outputs(self, site: Site) -> None:
        run = await site.submit(GATED)
        await in_state(run, State.WAITING)
        assert await run.definition() == textwrap.dedent(GATED)
        with pytest.raises(RunNotEnded, match=f"run {run.id} has not ended; cancel it first, or wait"):
            await run.delete()
        await run.approve(by="ann")
        await run.wait(180)
        assert (await run.outputs()).jobs == {"a": {"n": "1"}}

    async def test_a_forgotten_run_is_gone_with_its_jobs_and_log(self, site: Site) -> None:
        run = await site.submit("name: gone\njobs: {a: {runs-on: web, steps: [{run: echo x}]}}")
        await run.wait(180)
        await run.delete()

        async def gone() -> bool:
            try:
                await run.status("summary")
            except RunNotFound:
                return True
            return False

        await until(gone, "the run is gone", within=90)
        with pytest.raises(RunNotFound):
            await anext(run.logs())
        assert not list((site.root / "server" / "logs").glob(f"{run.id}*"))


class TestErrors:
    async def test_say_where_with_what_and_the_last_lines_and_no_secret(self, site: Site) -> None:
        state = await site.run(
            """
            name: errs
            jobs:
              a:
                runs-on: web
                steps:
                  - run: |
                      echo about to fail with ${{ secrets.TOKEN }}
                      exit 3
            """,
            secrets={"TOKEN": "hunter22"},
        )
        step = state.jobs[0].steps[0]
        assert step.error is not None
        assert step.error.details == {
            "host": state.jobs[0].agent.name if state.jobs[0].agent else "",
            "step": "a/steps[0]",
            "node": "shell",
            "inputs": {"run": "echo about to fail with ***\nexit 3\n"},
            "exit_code": 3,
            "tail": ["about to fail with ***"],
        }


class TestKeptLogs:
    async def test_a_retry_begins_with_the_lines_of_what_it_kept(self, site: Site) -> None:
        mark = site.root / "again"
        former = await site.submit(
            "name: keeps\njobs:\n  a:\n    runs-on: web\n    steps:\n"
            f"      - run: echo first\n      - run: test -e {mark} || {{ touch {mark}; exit 1; }}\n"
            "      - run: echo last\n"
        )
        await former.wait(180)
        run = await former.retry()
        await run.wait(180)
        lines = [(line.text, line.kept_from) async for line in run.logs(follow=True) if line.text in {"first", "last"}]
        assert lines == [("first", former.id), ("last", None)]
        cursors = [line.cursor async for line in run.logs()]
        assert len(cursors) == len(set(cursors))
