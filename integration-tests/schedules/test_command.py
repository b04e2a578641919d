"""The commands, as somebody types them."""

import asyncio
from pathlib import Path

import pytest
from harness import Site
from harness.command import Command, Result

from schedules._workflows import ended, until_runs

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


async def waterflow(command: Command, site: Site, *arguments: str, stdin: str = "") -> Result:
    """A command against the site, beside which the site goes on."""
    return await asyncio.to_thread(command.run, *arguments, stdin=stdin.encode(), WATERFLOW_SERVER=site.url)


class TestExample:
    async def test_nightly_is_applied_shown_triggered_and_deleted(self, site: Site, command: Command):
        file = str(EXAMPLES / "nightly.yaml")
        applied = await waterflow(command, site, "apply", "-f", file)
        assert (applied.code, applied.stdout) == (0, "definition nightly: version 1 is active\nschedule nightly:1\n")
        again = await waterflow(command, site, "apply", "-f", file)
        assert again.stdout == "definition nightly: version 1 is unchanged\nschedule nightly:1\n"
        following = await waterflow(command, site, "schedule", "next", "nightly:1", "-n", "2", "-o", "json")
        assert "T18:00:00Z" in following.stdout  # two in the morning in Shanghai
        await waterflow(command, site, "schedule", "pause", "nightly:1", "--reason", "holidays")
        shown = await waterflow(command, site, "schedule", "show", "nightly:1")
        assert "0 2 * * *  Asia/Shanghai" in shown.stdout
        assert "holidays" in shown.stdout
        triggered = await waterflow(command, site, "schedule", "trigger", "nightly:1")
        assert triggered.stdout == (
            "schedule nightly:1 is triggered; `waterflow schedule show nightly:1` shows its run\n"
        )
        await until_runs(site, "nightly:1", ended(1))
        deleted = await waterflow(command, site, "definition", "delete", "nightly", "--force")
        assert (deleted.code, deleted.stdout) == (0, "definition nightly is deleted\n")


class TestDefinition:
    async def test_from_standard_input(self, site: Site, command: Command):
        file = "jobs: {work: {runs-on: web, steps: [{run: 'true'}]}}"
        nameless = await waterflow(command, site, "apply", "-f", "-", stdin=file)
        assert (nameless.code, nameless.stderr) == (
            2,
            "error: a definition from standard input needs a name\nhint: add --name NAME\n",
        )
        named = await waterflow(command, site, "apply", "-f", "-", "--name", "piped", stdin=file)
        assert named.stdout == "definition piped: version 1 is active\n"
        changed = await waterflow(command, site, "apply", "-f", "-", "--name", "piped", stdin=file + "\n# new")
        assert changed.stdout == "definition piped: version 2 is active\n"
        diff = await waterflow(command, site, "definition", "diff", "piped", "1")
        assert diff.stdout.splitlines()[-1] == "+# new"
        back = await waterflow(command, site, "definition", "rollback", "piped")
        assert back.stdout == "definition piped: version 1 is active\n"
        shown = await waterflow(command, site, "definition", "show", "piped")
        assert shown.stdout == file + "\n"
        run = await waterflow(command, site, "definition", "run", "piped", "--version", "2")
        assert (await site.client.run(run.stdout.strip()).wait(180)).labels == ["definition:piped"]

    async def test_a_stale_version(self, site: Site, command: Command):
        file = "jobs: {work: {runs-on: web, steps: [{run: 'true'}]}}"
        await waterflow(command, site, "apply", "-f", "-", "--name", "stale-here", stdin=file)
        refused = await waterflow(
            command, site, "apply", "-f", "-", "--name", "stale-here", "--expect", "0", stdin=file
        )
        assert refused.code != 0
        assert refused.stderr == (
            "error: definition 'stale-here' is at version 1, not 0; look at what changed and apply it again\n"
        )


class TestSchedule:
    async def test_made_listed_and_removed(self, site: Site, command: Command):
        file = "vars: {n: 1}\njobs: {work: {runs-on: web, steps: [{run: 'true'}]}}"
        await waterflow(command, site, "apply", "-f", "-", "--name", "hourly", stdin=file)
        made = await waterflow(
            command, site, "schedule", "create", "each-hour", "hourly", "0 * * * *", "--var", "n:=2", "--catch-up", "5m"
        )
        assert made.stdout.startswith("schedule each-hour is made; next: 20")
        filled = await waterflow(
            command,
            site,
            "schedule",
            "backfill",
            "each-hour",
            "--from",
            "2026-03-01T00:00Z",
            "--to",
            "2026-03-01T01:00Z",
        )
        assert len(filled.stdout.splitlines()) == 2
        await until_runs(site, "each-hour", ended(2))
        removed = await waterflow(command, site, "schedule", "delete", "each-hour")
        assert removed.stdout == "schedule each-hour is deleted\n"

    async def test_a_time_that_is_none(self, site: Site, command: Command):
        refused = await waterflow(command, site, "submit", str(EXAMPLES / "nightly.yaml"), "--at", "tomorrow")
        assert refused.code == 2
        assert "'tomorrow' is no time; write it as 2026-11-21T02:00" in refused.stderr

    async def test_submit_at(self, site: Site, command: Command):
        at = await waterflow(command, site, "submit", str(EXAMPLES / "nightly.yaml"), "--at", "2030-01-01T00:00Z")
        run = site.client.run(at.stdout.strip())
        assert (await run.status()).reason == "starts at 2030-01-01T00:00:00Z"
        await run.cancel()
