"""What a job takes along to the next run of its workflow, and what it leaves behind when that is too large."""

import random
import string
from datetime import UTC, datetime

import msgspec
import pytest

from waterflow_dsl.plan import JobPlan, StepPlan, UsesKind, UsesPlan
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.wire import AgentRef, RunInfo, State
from waterflow_server._converter import data_converter
from waterflow_server.engine._progress import Progress
from waterflow_server.engine._wire import JobInput, JobMemory
from waterflow_server.engine.memory._carried import (
    BUDGET,
    estimate,
    fitting,
    recall,
    remember,
    remember_lists,
    used_steps,
)
from waterflow_server.engine.memory._records import AttemptRecord, StepRecord

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TEMPORAL_LIMIT = 2 * 1024 * 1024


def plan(*scripts: str, condition: str = "success()") -> JobPlan:
    """A job whose steps run these scripts."""
    uses = UsesPlan(kind=UsesKind.NODE, name="run")
    return JobPlan(
        id="work",
        steps=tuple(
            StepPlan(path=f"steps[{number}]", uses=uses, inputs={"run": script}, condition=condition)
            for number, script in enumerate(scripts or ("echo",))
        ),
    )


def record(number: int, **known: object) -> StepRecord:
    attempt = AttemptRecord(
        number=1,
        state=State.SUCCESS,
        agent=AgentRef(id="01a1fe78f3d775218b3188ba", name="web-01"),
        started=NOW,
        ended=NOW,
        exit_code=0,
    )
    made = StepRecord(path=f"steps[{number}]", id=f"s{number}", name="run", node="run", attempts=[attempt])
    made.begin(NOW)
    made.end(State.SUCCESS, NOW)
    made.order = number + 1
    for name, value in known.items():
        setattr(made, name, value)
    return made


def job_input(records: list[StepRecord], job: JobPlan | None = None) -> JobInput:
    memory = JobMemory(queued=NOW, lists=remember_lists([records]))
    return JobInput(
        run=RunInfo(id="r", name="n"),
        job=job or plan(),
        instance="work",
        contexts={},
        history_events=4000,
        memory=memory,
    )


def noise(size: int) -> str:
    return "".join(random.Random(size).choices(string.ascii_letters + string.digits, k=size))


async def sealed(given: JobInput) -> int:
    codec = PayloadCodec(KeyRing(active="k", keys={"k": bytes(32)}))
    (payload,) = await data_converter(codec).encode([given])
    return payload.ByteSize()


class TestRemember:
    def test_a_record_comes_back_as_it_was(self):
        inner = record(0, path="steps[3][0].steps[0]", outputs={"n": 1}, broke=True)
        block = StepRecord(path="steps[3]", id="loop", name="for-each", node="for-each", branches=[[inner]])
        block.begin(NOW)
        block.progress = Progress(items=[1, 2], limit=2, fail_fast=False)
        stored = msgspec.json.decode(msgspec.json.encode(remember(block)), type=type(remember(block)))
        assert recall(stored, lambda _path: []) == block

    def test_steps_that_have_not_begun_are_left_to_the_plan(self):
        pending = StepRecord(path="steps[1]", id=None, name="run", node="run")
        assert len(remember_lists([[record(0), pending]])[0]) == 1

    def test_a_block_that_has_ended_forgets_its_items(self):
        block = StepRecord(path="steps[0]", id=None, name="for-each", node="for-each", branches=[[record(1)]])
        block.progress = Progress(items=[1, 2, 3], chosen="then")
        block.end(State.SUCCESS, NOW)
        assert remember(block).progress == Progress(chosen="then")


class TestSize:
    async def test_ten_thousand_steps_with_outputs_fit_as_they_are(self):
        given = job_input([record(number, outputs={"value": noise(40)}) for number in range(10_000)])
        assert fitting(given) is given
        assert await sealed(given) < TEMPORAL_LIMIT

    @pytest.mark.parametrize("length", [40, 400, 4000])
    async def test_the_estimate_is_above_what_it_takes_sealed(self, length: int):
        given = job_input([record(number, outputs={"value": noise(length)}) for number in range(500)])
        assert await sealed(given) < estimate(given)


class TestTooLarge:
    def large(self, job: JobPlan) -> JobInput:
        outputs = noise(20_000)
        return job_input([record(number, outputs={"value": f"{number}{outputs}"}) for number in range(200)], job)

    def test_outputs_that_nothing_asks_for_are_left_behind(self):
        given = self.large(plan("echo ${{ steps.s7.outputs.value }}", "echo ${{ steps['s9'].outcome }}"))
        found = fitting(given)
        assert found is not None
        assert found.memory is not None
        kept = [each.step.id for each in found.memory.lists[0] if each.step.outputs]
        assert kept == ["s7", "s9"]
        assert all(each.step.attempts[0].agent for each in found.memory.lists[0])

    def test_then_what_is_known_of_attempts_that_succeeded(self):
        given = job_input(
            [record(number, outputs={"value": noise(80)}) for number in range(10_000)],
            plan("echo ${{ toJSON(steps) }}"),
        )
        assert estimate(given) > BUDGET
        found = fitting(given)
        assert found is not None
        assert found.memory is not None
        attempts = {(each.step.attempts[0].number, each.step.attempts[0].agent) for each in found.memory.lists[0]}
        assert attempts == {(1, None)}
        assert all(each.step.outputs for each in found.memory.lists[0])

    def test_what_is_asked_for_stays_even_if_it_does_not_fit(self):
        assert fitting(self.large(plan("echo ${{ toJSON(steps) }}"))) is None

    def test_the_last_outputs_of_a_step_that_repeats_stay_while_it_does(self):
        children = [[record(number, id=None, outputs={"value": noise(60_000)})] for number in range(30)]
        repeats = StepRecord(path="steps[0]", id="s0", name="run", node="run", branches=children)
        repeats.begin(NOW)
        given = job_input([repeats], plan("echo ${{ steps.s0.outputs.value }}"))
        assert fitting(given) is None
        repeats.end(State.SUCCESS, NOW)
        assert fitting(job_input([repeats], given.job)) is not None


class TestUsedSteps:
    @pytest.mark.parametrize(
        ("expression", "used"),
        [
            ("steps.One.outputs.x", {"one"}),
            ("steps['two'].outcome", {"two"}),
            ("steps.a.outputs.x == steps.b.outputs.y", {"a", "b"}),
            ("join(steps.each.results.*.outputs.n)", {"each"}),
            ("steps.*.outcome", None),
            ("toJSON(steps)", None),
            ("steps[vars.name].outcome", None),
            ("vars.name", set[str]()),
        ],
    )
    def test_are_those_that_expressions_name(self, expression: str, used: set[str] | None):
        found = used_steps(plan(condition=expression))
        assert found == (None if used is None else frozenset(used))
