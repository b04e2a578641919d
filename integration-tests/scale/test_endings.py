"""Rollback, `on-failure` and `finally` over roll-overs, and stops that come in the midst of them."""

from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from scale.conftest import Histories
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def saga(effects: Path, steps: int) -> str:
    done = "".join(
        f"""
      - run: echo do-{number} >> {effects}
        rollback: {{run: echo undo-{number} >> {effects}}}"""
        for number in range(steps)
    )
    return f"""
name: saga
jobs:
  work:
    runs-on: web
    steps:{done}
      - run: exit 7
    on-failure: [run: echo on-failure >> {effects}]
    finally:
      - run: echo finally-1 >> {effects}
      - run: echo finally-2 >> {effects}
"""


class TestRollback:
    async def test_undoes_everything_in_reverse_and_shows_the_first_error(
        self, site: Site, tmp_path: Path, histories: Histories
    ):
        effects = tmp_path / "effects"
        run = await site.submit(saga(effects, 6))
        state = await run.wait(90)
        done, undone = [f"do-{n}" for n in range(6)], [f"undo-{n}" for n in reversed(range(6))]
        assert lines(effects) == [*done, *undone, "on-failure", "finally-1", "finally-2"]
        assert (state.state, state.jobs[0].error.details["step"]) == (State.FAILED, "steps[6]")
        assert len(await histories(run, "work")) > 3

    async def test_undoes_parallel_steps_in_the_order_in_which_they_ended(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        await site.run(
            f"""
            name: saga
            jobs:
              work:
                runs-on: web
                steps:
                  - parallel:
                      - {{run: 'sleep 1', rollback: {{run: echo slow >> {effects}}}}}
                      - {{run: 'true', rollback: {{run: echo fast >> {effects}}}}}
                  - run: echo
                  - run: echo
                  - run: echo
                  - run: exit 1
            """
        )
        assert lines(effects) == ["slow", "fast"]

    async def test_of_an_iteration_is_done_for_each_of_them(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: saga
            vars: {{items: [1, 2, 3, 4, 5]}}
            jobs:
              work:
                runs-on: web
                steps:
                  - for-each: ${{{{ vars.items }}}}
                    steps: [{{run: 'true', rollback: {{run: echo x >> {effects}}}}}]
                  - run: exit 1
            """
        )
        await run.wait(180)
        assert lines(effects) == ["x"] * 5
        (job,) = (await run.status()).jobs
        assert [step.path for step in job.steps[2:]] == [f"steps[0][{n}].steps[0].rollback[0]" for n in (4, 3, 2, 1, 0)]

    async def test_of_an_iteration_sees_its_names_over_roll_overs(
        self, site: Site, tmp_path: Path, histories: Histories
    ):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: saga
            jobs:
              work:
                runs-on: web
                steps:
                  - for-each: [eu, us]
                    as: region
                    run: echo
                    rollback: {{env: {{R: "${{{{ region }}}}"}}, run: echo $R >> {effects}}}
                  - for-each: [1, 2, 3]
                    run: echo
                  - run: echo
                  - run: echo
                  - run: exit 1
            """
        )
        await run.wait(180)
        assert lines(effects) == ["us", "eu"]
        assert len(await histories(run, "work")) > 1


class TestStops:
    async def test_a_cancel_in_the_midst_runs_the_rollback_and_finally_once(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        body = saga(effects, 5).replace("run: exit 7", "run: echo waiting >> " + str(effects) + "; sleep 60")
        run = await site.submit(body)

        async def waits() -> bool:
            return "waiting" in lines(effects)

        await until(waits, "the last step runs")
        await run.cancel("enough")
        state = await run.wait(180)
        assert (state.state, state.jobs[0].reason) == (State.CANCELLED, "enough")
        undone = [f"undo-{n}" for n in reversed(range(5))]
        assert lines(effects)[6:] == [*undone, "finally-1", "finally-2"]

    async def test_a_cancel_in_a_sleep_of_finally_ends_it_and_what_follows(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(
            f"""
            name: ending
            jobs:
              work:
                runs-on: web
                steps: [run: 'true']
                finally:
                  - run: echo 1 >> {effects}
                  - run: echo 2 >> {effects}
                  - run: echo 3 >> {effects}
                  - run: echo 4 >> {effects}
                  - {{uses: sleep, with: {{duration: 1h}}}}
                  - run: echo never >> {effects}
                  - {{if: cancelled(), run: echo 5 >> {effects}}}
                  - {{if: cancelled(), run: echo 6 >> {effects}}}
                  - {{if: cancelled(), run: echo 7 >> {effects}}}
                  - {{if: cancelled(), run: echo 8 >> {effects}}}
            """
        )

        async def sleeps() -> bool:
            return (await run.status()).jobs[0].steps[5:6] != [] and (
                (await run.status()).jobs[0].steps[5].state is State.RUNNING
            )

        await until(sleeps, "the sleep runs")
        await run.cancel("enough")
        await run.wait(180)
        assert lines(effects) == ["1", "2", "3", "4", "5", "6", "7", "8"]

    async def test_a_time_out_is_of_the_whole_job_and_comes_once(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        state = await site.run(
            f"""
            name: timed
            jobs:
              work:
                runs-on: web
                timeout: 5s
                steps: [{{while: "true", steps: [run: sleep 0.1]}}]
                finally:
                  - run: echo 1 >> {effects}
                  - run: echo 2 >> {effects}
                  - run: echo 3 >> {effects}
                  - run: echo 4 >> {effects}
                  - run: echo 5 >> {effects}
            """
        )
        job = state.jobs[0]
        assert (job.state, job.reason) == (State.TIMED_OUT, "the job took longer than 5 s")
        assert lines(effects) == ["1", "2", "3", "4", "5"]
        assert job.started is not None
        assert job.ended is not None
        assert 5 <= (job.ended - job.started).total_seconds() < 60
