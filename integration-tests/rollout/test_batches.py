"""Batches: by count, by percent, cumulative, repeated; who comes first; how many at once within one."""

from itertools import pairwise
from pathlib import Path

import pytest
from harness import Site

from waterflow_sdk.wire import State

from ._files import batches, effects, finished, grid, rollout

pytestmark = pytest.mark.asyncio(loop_scope="session")

DONE = State.SUCCESS


class TestSizes:
    @pytest.mark.parametrize(
        ("policy", "sizes"),
        [
            pytest.param("batches: [1, 50%, 100%]", [1, 2, 3], id="each entry says how many are done then"),
            pytest.param("batches: [1, 3]", [1, 2, 2, 1], id="the last size goes on where the entries end"),
            pytest.param("batch: 4", [4, 2], id="a count repeated"),
            pytest.param("batch: 25%", [2, 2, 2], id="a percent is rounded up"),
            pytest.param("batches: [1, 10%, 100%]", [1, 5], id="an entry that adds nobody makes no batch"),
            pytest.param("max-failures: 1", [6], id="without entries everybody is one batch"),
        ],
    )
    async def test_of(self, site: Site, tmp_path: Path, policy: str, sizes: list[int]):
        run = await finished(site, rollout(policy, tmp_path))
        assert batches(run) == [(number, DONE, size) for number, size in enumerate(sizes, 1)]
        assert run.state is DONE, run.error

    async def test_a_batch_begins_when_the_one_before_it_has_ended(self, site: Site, tmp_path: Path):
        run = await finished(site, rollout("batch: 2", tmp_path))
        for before, after in pairwise(run.rollouts[0].batches):
            assert before.ended is not None
            assert after.started is not None
            assert before.ended <= after.started
        assert [sorted(effects(tmp_path)[at : at + 2]) for at in (0, 2, 4)] == [
            ["h-1", "h-2"],
            ["h-3", "h-4"],
            ["h-5", "h-6"],
        ]


class TestOrder:
    async def test_those_with_the_tag_come_first_then_by_name(self, site: Site, tmp_path: Path):
        await finished(site, rollout("batch: 1\norder: [tag:canary, name]", tmp_path))
        assert effects(tmp_path) == ["h-4", "h-1", "h-2", "h-3", "h-5", "h-6"]

    async def test_by_group(self, site: Site, tmp_path: Path):
        await finished(site, rollout("batch: 1\norder: [tag:canary, group:half]", tmp_path))
        assert effects(tmp_path) == ["h-4", "h-1", "h-2", "h-3", "h-5", "h-6"]

    async def test_of_another_kind_fails_the_job_with_what_there_is(self, site: Site, tmp_path: Path):
        run = await finished(site, rollout("order: [age]", tmp_path))
        assert run.error is not None
        assert run.error.message == (
            "job deploy: rollout.order: must be `tag:<tag>`, `group:<group>` or `name`, not 'age'"
        )
        assert effects(tmp_path) == []


class TestWithin:
    async def test_max_parallel_holds_in_a_batch(self, site: Site, tmp_path: Path):
        run = await finished(site, rollout("batch: 4", tmp_path, more="strategy: {max-parallel: 1}"))
        times = sorted((job.started, job.ended) for job in run.jobs if job.started and job.ended)
        assert len(times) == 6
        assert all(before[1] <= after[0] for before, after in pairwise(times))

    async def test_a_host_with_several_instances_counts_once(self, site: Site, tmp_path: Path):
        more = "strategy: {matrix: {part: [a, b]}, fail-fast: false}"
        run = await finished(site, rollout("batches: [1, 100%]", tmp_path, more=more))
        assert batches(run) == [(1, DONE, 1), (2, DONE, 5)]
        assert len(run.jobs) == 12
        assert effects(tmp_path)[:2] == ["h-1", "h-1"]


class TestWithoutRollout:
    async def test_hosts_do_not_cancel_each_other_for_a_max_parallel(self, site: Site, tmp_path: Path):
        (tmp_path / "bad-h-1").touch()
        yaml = rollout("batch: 1", tmp_path, more="strategy: {max-parallel: 1}")
        yaml = yaml.replace("    rollout:\n      batch: 1\n", "")
        run = await finished(site, yaml)
        assert grid(run) == {"h-1": State.FAILED, **{f"h-{number}": DONE for number in range(2, 7)}}
        assert run.rollouts == []
