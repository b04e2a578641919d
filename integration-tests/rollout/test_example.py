"""``examples/rollout.yaml`` on a group of six."""

from pathlib import Path

import pytest
from harness import Site

from waterflow_sdk.wire import State

from ._files import batches, finished_run, grid

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestExample:
    async def test_goes_over_the_group_canary_first(self, site: Site, repository: Path):
        text = (repository / "examples" / "rollout.yaml").read_text()
        run = await finished_run(await site.client.submit(text, inputs={"group": "fleet"}))
        assert run.state is State.SUCCESS, run.error
        assert batches(run) == [(1, State.SUCCESS, 1), (2, State.SUCCESS, 2), (3, State.SUCCESS, 3)]
        assert [job.agent.name for job in run.jobs if job.batch == 1 and job.agent and not job.gate] == ["h-4"]
        assert set(grid(run).values()) == {State.SUCCESS}
