"""What the workflows did, they do again: every recorded history, replayed with today's code."""

import json
import re
from pathlib import Path

import pytest
from replay._histories import HISTORIES, case_name, find, payloads, read, recorded, replay, with_input, workflow_id
from temporalio import workflow
from temporalio.workflow import NondeterminismError

import waterflow_server
from waterflow_server.engine._wire import JOB_WORKFLOW, JobInput, JobResult
from waterflow_server.engine.nodes._control import CONTROL_NODES_RUN
from waterflow_server.engine.worker import WORKFLOWS

MAX_BYTES = 4_500_000


class TestEveryHistory:
    @pytest.mark.parametrize("path", [pytest.param(path, id=case_name(path)) for path in recorded()])
    async def test_is_replayed_without_a_difference(self, path: Path):
        await replay(workflow_id(path), read(path))


class TestTheRecordings:
    def test_hold_every_workflow_type_of_the_server(self):
        started = (read(path)["events"][0]["workflowExecutionStartedEventAttributes"] for path in recorded())
        served = {getattr(each, "__temporal_workflow_definition").name for each in WORKFLOWS}
        assert {each["workflowType"]["name"] for each in started} == served

    def test_hold_every_control_node(self):
        used = {
            name
            for path in recorded()
            for payload in payloads(read(path)["events"][0])
            for name in re.findall(r'"kind":"control","name":"([^"]+)"', payload.decode())
        }
        assert used == CONTROL_NODES_RUN

    def test_hold_every_feature_that_has_a_workflow_file(self):
        features = {path.parent.name for path in HISTORIES.glob("*/workflow.yaml")}
        assert {case_name(path) for path in recorded()}.issuperset(f"{feature}/run" for feature in features)

    def test_are_small_enough_to_be_kept_with_the_code(self):
        assert sum(path.stat().st_size for path in recorded()) < MAX_BYTES

    def test_say_nothing_of_the_machine_that_recorded_them(self):
        for path in recorded():
            history = read(path)
            text = json.dumps(history) + "".join(each.decode() for each in payloads(history))
            assert not re.search(r"/(home|root|tmp|Users)/", text), path


class TestVersionMarkers:
    """Each place where a workflow parts with what it did before has a recording of how it does it now."""

    NOT_RECORDED = frozenset(
        {
            "2026-11-told-at-start",  # a race of milliseconds: `TestAChildThatIsBeingStarted` of the server's own tests
            "agent-stopped-goes-elsewhere",  # ends an agent: the tests of draining
        }
    )

    def test_are_all_in_some_recording(self):
        sources = "".join(path.read_text() for path in Path(waterflow_server.__file__).parent.rglob("*.py"))
        asked = set(re.findall(r'(?:patched\(|PATCH_[A-Z_]+ = |_[A-Z_]+ = (?="2026-))"([^"]+)"', sources))
        assert asked, "no version marker found where they were"
        assert asked - markers_recorded() == self.NOT_RECORDED


def markers_recorded() -> set[str]:
    """The version markers that any recording came upon."""
    found: set[str] = set()
    for path in recorded():
        for event in read(path)["events"]:
            details = event.get("markerRecordedEventAttributes", {}).get("details", {})
            for each in payloads(details.get("patch-data", {})):
                found.add(json.loads(each)["id"])
    return found


@workflow.defn(name=JOB_WORKFLOW)
class SleepsFirst:
    """A job workflow that somebody changed: it begins with a timer."""

    @workflow.run
    async def run(self, given: JobInput) -> JobResult:
        await workflow.sleep(1)
        raise AssertionError(given.instance)


class TestADifference:
    """The replay can fail, so that its success says something."""

    async def test_in_the_plan_is_found(self):
        path = find("branch")
        tampered = with_input(read(path), lambda given: given.replace(b'"id":"work"', b'"id":"other"'))
        with pytest.raises(NondeterminismError):
            await replay(workflow_id(path), tampered)

    async def test_in_the_workflow_code_is_found(self):
        path = find("branch", "work")
        with pytest.raises(NondeterminismError):
            await replay(workflow_id(path), read(path), [SleepsFirst])

    async def test_in_the_history_is_found(self):
        path = find("branch", "work")
        tampered = json.loads(path.read_text().replace('"name":"ExecuteNode"', '"name":"RunNode"'))
        with pytest.raises(NondeterminismError):
            await replay(workflow_id(path), tampered)
