"""An agent is killed while a step runs, and started again: the step runs on, wholly, and is not run twice."""

from pathlib import Path

from harness import Site
from harness.site import until

from waterflow_sdk.client import Run
from waterflow_sdk.wire import State


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def until_lines(path: Path, count: int) -> list[str]:
    async def there() -> bool:
        return len(lines_of(path)) >= count

    await until(there, f"{path.name} has {count} lines")
    return lines_of(path)


async def output_of(run: Run) -> list[str]:
    return [line.text async for line in run.logs() if line.event is None]


class TestStepThatRunsOn:
    async def test_ends_well_with_each_line_once_and_its_outputs(self, site: Site, tmp_path: Path):
        effects, go = tmp_path / "effects", tmp_path / "go"
        run = await site.submit(f"""
            name: adopted
            jobs:
              work:
                runs-on: {{agent: web-01}}
                steps:
                  - id: count
                    run: |
                      echo begin >> {effects}
                      i=0
                      while ! test -e {go}; do
                        i=$((i+1)); echo "line $i"; echo "$i" >> {effects}.ticks
                        sleep 0.02; done
                      echo "last=$i" >> "$WATERFLOW_OUTPUT"
                      echo end >> {effects}
                  - run: echo after >> {effects}
                outputs: {{last: "${{{{ steps.count.outputs.last }}}}"}}
        """)
        ticks = effects.with_suffix(".ticks")
        await until_lines(ticks, 20)
        site.agents["web-01"].kill()
        await until_lines(ticks, len(lines_of(ticks)) + 20)
        site.start_agent("web-01")
        await site.until_online("web-01")
        await until_lines(ticks, len(lines_of(ticks)) + 20)
        go.touch()
        state = await run.wait(60)
        assert state.state is State.SUCCESS, state.error
        (attempt,) = state.jobs[0].steps[0].attempts
        count = len(lines_of(ticks))
        assert (attempt.number, attempt.lost, attempt.exit_code) == (1, 0, 0)
        assert state.jobs[0].outputs == {"last": str(count)}
        assert lines_of(effects) == ["begin", "end", "after"]
        assert await output_of(run) == [f"line {number}" for number in range(1, count + 1)]
