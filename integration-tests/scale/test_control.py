"""People and other systems reach a job at any instant, whichever run of its workflow it is in."""

import asyncio
from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from scale.conftest import Histories
from waterflow_sdk.client import Run
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def looping(effects: Path, more: str = "") -> str:
    return f"""
        name: loop
        jobs:
          work:
            runs-on: web
            steps: [{{while: "true", max-iterations: 2000, steps: [run: echo x >> {effects}]}}]
            {more}
    """


async def until_lines(effects: Path, count: int) -> None:
    async def there() -> bool:
        return len(lines(effects)) >= count

    await until(there, f"{count} effects are there")


async def state_of(run: Run) -> State:
    return (await run.status("summary")).state


async def until_asked(run: Run, question: str) -> None:
    async def asks() -> bool:
        return (await run.status("summary")).reason == question

    await until(asks, question)


class TestQueries:
    async def test_are_answered_all_the_time_and_never_go_back(self, site: Site, tmp_path: Path, histories: Histories):
        effects = tmp_path / "effects"
        run = await site.submit(looping(effects))
        await until_lines(effects, 1)
        seen: list[int] = []
        while len(lines(effects)) < 20:
            (job,) = (await run.status()).jobs
            seen.append(sum(step.state is State.SUCCESS for step in job.steps[0].steps))
        await run.cancel()
        await run.wait(180)
        assert seen == sorted(seen)
        assert len(await histories(run, "work")) > 2


class TestCancel:
    @pytest.mark.parametrize("after", [8, 9, 10])  # a job rolls over after about three steps
    async def test_is_heard_whenever_it_comes(self, site: Site, tmp_path: Path, after: int):
        effects = tmp_path / "effects"
        run = await site.submit(looping(effects, f"finally: [run: echo finally >> {effects}]"))
        await until_lines(effects, after)
        await run.cancel("enough")
        state = await run.wait(180)
        assert (state.state, state.jobs[0].reason) == (State.CANCELLED, "enough")
        assert lines(effects)[-1] == "finally"

    async def test_forced_ends_all_at_once(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(looping(effects, f"finally: [run: echo finally >> {effects}]"))
        await until_lines(effects, 8)
        await run.cancel("now", force=True)
        assert (await run.wait(180)).state is State.CANCELLED
        assert "finally" not in lines(effects)


class TestPause:
    async def test_starts_nothing_and_goes_on_where_it_was(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(looping(effects))
        for count in (6, 10):
            await until_lines(effects, count)
            await run.pause("lunch")

            async def paused() -> bool:
                return await state_of(run) is State.PAUSED

            await until(paused, "the run is paused")
            (job,) = (await run.status()).jobs
            while any(step.state is State.RUNNING for step in job.steps[0].steps):
                (job,) = (await run.status()).jobs
            stood = len(lines(effects))
            await asyncio.sleep(0.5)
            assert len(lines(effects)) == stood
            await run.resume()
        await until_lines(effects, 14)
        await run.cancel()
        await run.wait(180)
        (job,) = (await run.status()).jobs
        assert [pause.reason for pause in job.pauses] == ["lunch"] * 2


class TestPeople:
    async def test_approvals_and_events_cross_roll_overs(self, site: Site, tmp_path: Path, histories: Histories):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: people
            vars: {{items: [1, 2, 3, 4, 5, 6]}}
            jobs:
              work:
                runs-on: web
                steps:
                  - for-each: ${{{{ vars.items }}}}
                    steps:
                      - {{id: gate, uses: approval, with: {{message: "Step ${{{{ item }}}}?"}}}}
                      - run: echo ${{{{ steps.gate.outputs.by }}}}-${{{{ item }}}} >> {effects}
                  - {{id: early, uses: wait, with: {{for: early}}}}
                  - run: echo ${{{{ steps.early.outputs.payload }}}} >> {effects}
            """
        )
        await run.send_event("early", "sent-before-it-is-waited-for")
        for number in range(1, 7):
            await until_asked(run, f"work: approval: Step {number}?")
            await run.approve(by="ops")
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert lines(effects) == [*(f"ops-{n}" for n in range(1, 7)), "sent-before-it-is-waited-for"]
        assert len(await histories(run, "work")) > 3

    async def test_times_of_waits_are_not_begun_again(self, site: Site):
        state = await site.run(
            """
            name: waits
            vars: {items: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}
            jobs:
              work:
                runs-on: web
                steps:
                  - parallel:
                      - {id: slept, uses: sleep, with: {duration: 2s}}
                      - {id: asked, uses: approval, continue-on-error: true, with: {message: Go?, timeout: 2s}}
                      - {for-each: "${{ vars.items }}", run: sleep 0.05}
            """
        )
        assert state.state is State.SUCCESS, state.error
        block = (await site.client.run(state.id).status()).jobs[0].steps[0]
        for step in block.steps[:2]:
            assert step.started is not None
            assert step.ended is not None
            assert 2 <= (step.ended - step.started).total_seconds() < 30
        assert block.steps[1].error.code == "approval-timeout"


class TestConcurrencyGroup:
    async def test_is_held_over_roll_overs_and_given_back_once(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"

        def job(name: str) -> str:
            steps = "".join(f"                  - run: echo {name} >> {effects}\n" for _ in range(6))
            return f"""
            name: {name}
            jobs:
              work:
                runs-on: web
                concurrency: rolled
                steps:
{steps}"""

        runs = [await site.submit(job(name)) for name in ("a", "b", "c")]
        for run in runs:
            assert (await run.wait(180)).state is State.SUCCESS
        found = lines(effects)
        assert len(found) == 18
        assert [found[0], found[6], found[12]] == sorted({*found}, key=found.index)
        assert all(len(set(found[start : start + 6])) == 1 for start in (0, 6, 12))


class TestRetryOfTheRun:
    async def test_keeps_what_had_succeeded_before_the_roll_overs(self, site: Site, tmp_path: Path):
        effects, done = tmp_path / "effects", tmp_path / "done"
        run = await site.submit(
            f"""
            name: again
            vars: {{items: [1, 2, 3, 4]}}
            jobs:
              work:
                runs-on: {{agent: web-01}}
                steps:
                  - {{id: first, run: 'echo first >> {effects}; echo "v=7" >> "$WATERFLOW_OUTPUT"'}}
                  - for-each: ${{{{ vars.items }}}}
                    steps: [{{id: each, run: 'echo "n=${{{{ item }}}}" >> "$WATERFLOW_OUTPUT"; echo x >> {effects}'}}]
                  - {{uses: env/set, with: {{name: KEPT, value: from-before}}}}
                  - run: test -e {done}
                  - run: echo
                  - run: echo
                  - run: echo
                  - run: echo
                  - run: >
                      echo "$KEPT ${{{{ steps.first.outputs.v }}}} ${{{{ join(steps.each.results.*.outputs.n) }}}}"
                      >> {effects}
            """
        )
        assert (await run.wait(180)).state is State.FAILED
        done.touch()
        state = await (await run.retry()).wait(180)
        assert state.state is State.SUCCESS, state.error
        assert lines(effects) == ["first", "x", "x", "x", "x", "from-before 7 1,2,3,4"]
