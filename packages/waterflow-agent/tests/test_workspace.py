"""Workspaces: removed when nobody has used them for long, and never under a step that runs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from waterflow_agent._attempts import AttemptBook
from waterflow_agent._workspace import Workspaces
from waterflow_sdk.wire import AttemptKey, NodeTask, State

from .conftest import key
from .test_attempts import book as book
from .test_attempts import tools as tools

DAY = 86400.0
LONG_AGO = time.time() - 30 * DAY


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def workspaces(root: Path) -> Workspaces:
    return Workspaces(root)


def grow_old(path: Path) -> None:
    """Nothing has happened below this directory for a month."""
    for place in (path, *path.rglob("*")):
        os.utime(place, (LONG_AGO, LONG_AGO))


class TestAge:
    def test_an_old_one_is_removed_with_all_that_is_in_it(self, workspaces: Workspaces, root: Path) -> None:
        (workspaces.of_job(key()) / "file").touch()
        workspaces.of_attempt(key())
        workspaces.leave(key())
        grow_old(root)
        workspaces.forget_older_than(DAY)
        assert list(root.iterdir()) == []

    def test_one_that_was_used_of_late_stays(self, workspaces: Workspaces, root: Path) -> None:
        workspaces.of_job(key())
        workspaces.leave(key())
        workspaces.forget_older_than(DAY)
        assert [path.name for path in root.iterdir()] == ["r1"]

    def test_a_write_into_a_workspace_counts_as_use(self, workspaces: Workspaces, root: Path) -> None:
        place = workspaces.of_job(key())
        workspaces.leave(key())
        grow_old(root)
        (place / "file").touch()
        workspaces.forget_older_than(DAY)
        assert (place / "file").exists()


class TestInUse:
    def test_one_whose_step_runs_for_longer_than_it_is_kept_stays(self, workspaces: Workspaces, root: Path) -> None:
        place = workspaces.of_job(key())
        grow_old(root)
        workspaces.forget_older_than(DAY)
        assert place.exists()

    def test_and_so_do_those_of_the_other_jobs_of_its_run(self, workspaces: Workspaces, root: Path) -> None:
        other = AttemptKey(run="r1", job="other", step="steps[0]", attempt=1)
        place = workspaces.of_job(other)
        workspaces.leave(other)
        workspaces.of_job(key())
        grow_old(root)
        workspaces.forget_older_than(DAY)
        assert place.exists()

    def test_it_begins_to_age_when_the_step_has_ended(self, workspaces: Workspaces, root: Path) -> None:
        """The next step of the job follows at once, and may meet the cleaning."""
        place = workspaces.of_job(key())
        grow_old(root)
        workspaces.leave(key())
        workspaces.forget_older_than(DAY)
        assert place.exists()

    def test_one_step_that_ends_leaves_it_to_another(self, workspaces: Workspaces, root: Path) -> None:
        workspaces.of_job(key("steps[0]"))
        place = workspaces.of_job(key("steps[1]"))
        workspaces.leave(key("steps[0]"))
        grow_old(root)
        workspaces.forget_older_than(DAY)
        assert place.exists()

    async def test_a_step_that_runs_keeps_it_and_then_lets_it_go(
        self, book: AttemptBook, make_task: Callable[..., NodeTask], tmp_path: Path
    ) -> None:
        workspaces: Workspaces = vars(vars(book)["_execute"])["_workspaces"]
        root = tmp_path / "work"
        attempt = book.start(make_task("script", {"run": "echo $PWD > ../up; while [ ! -e go ]; do sleep 0.02; done"}))
        while not list(root.glob("r1/up")):
            assert not attempt.ended.done(), attempt.ended.result()
            await asyncio.sleep(0.01)
        grow_old(root)
        workspaces.forget_older_than(DAY)
        (root / "r1" / "build" / "go").touch()
        assert (await attempt.ended).state is State.SUCCESS
        grow_old(root)
        workspaces.forget_older_than(DAY)
        assert list(root.iterdir()) == []


class TestRemoval:
    def test_one_that_was_half_removed_is_removed_at_the_next_time(self, workspaces: Workspaces, root: Path) -> None:
        (root / "!0123").mkdir()
        (root / "!0123" / "file").touch()
        workspaces.forget_older_than(DAY)
        assert list(root.iterdir()) == []

    def test_no_run_is_taken_for_one(self, workspaces: Workspaces) -> None:
        place = workspaces.of_job(AttemptKey(run="!0123", job="build", step="steps[0]", attempt=1))
        workspaces.leave(AttemptKey(run="!0123", job="build", step="steps[0]", attempt=1))
        workspaces.forget_older_than(DAY)
        assert place.exists()
        assert place.parent.name == "%210123"

    def test_what_a_step_protected_is_removed_too(self, tmp_path: Path) -> None:
        """Of a user who is not root, whom modes hinder."""
        if os.geteuid() != 0:
            pytest.skip("only root can become another user")
        tmp_path.chmod(0o755)
        for parent in tmp_path.parents[:2]:
            parent.chmod(0o755)
        (tmp_path / "state").mkdir()
        os.chown(tmp_path / "state", 65534, 65534)
        program = """
import os, sys, time
from pathlib import Path
from waterflow_agent._workspace import Workspaces
os.setgid(65534); os.setuid(65534)
root = Path(sys.argv[1])
deep = root / "old" / "job" / "cache" / "deep"
workspaces = Workspaces(root)
deep.mkdir(parents=True)
(deep / "file").touch()
(root / "old" / "job" / "link").symlink_to(sys.argv[2])
for place in (deep, deep.parent):
    place.chmod(0o500)
for place in (deep.parent.parent, root / "old"):
    os.utime(place, (1, 1))
workspaces.forget_older_than(60)
print(list(root.iterdir()))
"""
        outside = tmp_path / "outside"
        outside.mkdir(mode=0o500)
        words = [sys.executable, "-c", program, str(tmp_path / "state" / "work"), str(outside)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
        assert (done.stdout, done.stderr) == ("[]\n", "")
        assert outside.stat().st_mode & 0o777 == 0o500
