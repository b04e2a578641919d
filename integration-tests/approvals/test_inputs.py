"""``approval`` steps: what the answer must give, and who may give it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.command import Command
from harness.site import until

from waterflow_sdk.client import AnswerRefused, InvalidRequest, Run
from waterflow_sdk.wire import ApprovalInput, State

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKING = """
    name: asking
    jobs:
      gate:
        runs-on: web
        steps:
          - id: ask
            uses: approval
            with:
              message: Release it?
              timeout: 1h
              inputs:
                ticket: {type: string, required: true, description: Ticket of the change}
                replicas: {type: number, default: 2}
                region: {type: choice, options: [eu, us]}
                force: {type: boolean}
                limits: {type: json}
          - uses: wait
            with: {for: end}
          - {run: 'test "$TICKET" != ""', env: {TICKET: "${{ steps.ask.outputs.inputs.ticket }}"}}
"""


async def _asked(site: Site) -> Run:
    run = await site.submit(ASKING)

    async def waits() -> bool:
        return (await run.status("summary")).state is State.WAITING

    await until(waits, "the approval waits")
    return run


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def asking(site: Site) -> AsyncIterator[Run]:
    """A run whose approval waits through all wrong answers."""
    run = await _asked(site)
    yield run
    await run.cancel()


class TestWhatIsAsked:
    async def test_is_in_the_tree(self, site: Site):
        run = await _asked(site)
        asked = (await run.status()).jobs[0].steps[0].approval
        assert asked is not None
        assert (asked.message, asked.path, asked.answer) == ("Release it?", "steps[0]", None)
        assert asked.inputs is not None
        assert asked.inputs["ticket"] == ApprovalInput(required=True, description="Ticket of the change")
        assert asked.deadline is not None
        assert (asked.deadline - asked.since).total_seconds() == 3600
        await run.cancel()

    async def test_the_answer_is_kept_with_who_and_when(self, site: Site):
        run = await _asked(site)
        await run.approve(by="ops", comment="fine", inputs={"ticket": "T-1", "region": "eu", "force": "true"})
        await run.send_event("end")
        step = (await run.wait(180)).jobs[0].steps[0]
        assert step.approval is not None
        assert step.approval.answer is not None
        given = {"ticket": "T-1", "replicas": 2, "region": "eu", "force": True}
        assert (step.approval.answer.by, step.approval.answer.inputs) == ("ops", given)
        assert step.outputs["inputs"] == given


class TestTypes:
    @pytest.mark.parametrize(
        ("inputs", "path", "message"),
        [
            ({}, "inputs.ticket", "input 'ticket' is required: Ticket of the change"),
            (
                {"ticket": "x", "replicas": "many"},
                "inputs.replicas",
                "input 'replicas' is 'many'; it has to be a number",
            ),
            ({"ticket": "x", "region": "cn"}, "inputs.region", "input 'region' is 'cn'; it has to be one of eu, us"),
            ({"ticket": "x", "force": "maybe"}, "inputs.force", "input 'force' is 'maybe'; it has to be true or false"),
            (
                {"ticket": "x", "regoin": "eu"},
                "inputs.regoin",
                "the approval has no input 'regoin'; did you mean 'region'?",
            ),
        ],
    )
    async def test_a_wrong_answer_is_422_with_the_field(self, asking: Run, inputs: dict, path: str, message: str):
        with pytest.raises(InvalidRequest) as caught:
            await asking.approve(by="ops", inputs=inputs)
        assert (caught.value.status, caught.value.code, caught.value.message) == (422, "invalid-inputs", message)
        assert caught.value.errors[0]["path"] == path

    async def test_json_takes_any_value(self, site: Site):
        run = await _asked(site)
        await run.approve(by="ops", inputs={"ticket": "T", "limits": {"cpu": 2}})
        await run.send_event("end")
        assert (await run.wait(180)).jobs[0].steps[0].outputs["inputs"]["limits"] == {"cpu": 2}

    async def test_a_rejection_needs_none(self, site: Site):
        run = await _asked(site)
        await run.reject(by="ops")
        assert (await run.wait(180)).state is State.FAILED


class TestTwice:
    async def test_the_same_answer_changes_nothing_and_another_is_refused(self, site: Site):
        run = await _asked(site)
        await run.approve(by="ops", inputs={"ticket": "T"})
        await run.approve(by="ops", inputs={"ticket": "T"})
        with pytest.raises(AnswerRefused) as caught:
            await run.reject(by="ops")
        assert (caught.value.status, caught.value.message) == (409, "ops has approved it already")
        with pytest.raises(AnswerRefused):
            await run.approve(by="boss", inputs={"ticket": "T"})
        await run.send_event("end")
        assert (await run.wait(180)).state is State.SUCCESS


class TestTheCommand:
    async def test_it_shows_what_is_asked_and_asks_for_what_is_missing(self, site: Site, tmp_path: Path):
        run, command = await _asked(site), Command(tmp_path)
        listed = await asyncio.to_thread(command.run, "approve", run.id, "--list", "--server", site.url)
        lines = listed.stdout.splitlines()
        assert lines[0] == "gate/steps[0]: Release it?"
        assert lines[2:] == [
            "  --input force: boolean",
            "  --input limits: json",
            "  --input region: choice, one of eu, us",
            "  --input replicas: number, default 2",
            "  --input ticket: string, required (Ticket of the change)",
        ]
        refused = await asyncio.to_thread(command.run, "approve", run.id, "--by", "ops", "--server", site.url)
        assert "error: the approval asks for ticket\n" in refused.stderr
        done = await asyncio.to_thread(
            command.run, "approve", run.id, "--by", "ops", "--input", "ticket=T-9", "--server", site.url
        )
        assert (done.code, done.stdout) == (0, f"run {run.id}: approved by ops\n")
        await run.send_event("end")
        assert (await run.wait(180)).state is State.SUCCESS
