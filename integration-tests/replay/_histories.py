"""The recorded histories, and how they are replayed: with the workflows and the data converter of the server."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_server._converter import data_converter
from waterflow_server.engine.worker import WORKFLOWS

HISTORIES = Path(__file__).resolve().parents[2] / "conformance" / "histories"
CODEC = PayloadCodec(KeyRing.load(HISTORIES / "keys.json"))

History = dict[str, Any]


def recorded() -> list[Path]:
    """Every history, by feature."""
    return sorted(path for path in HISTORIES.glob("*/*/**/*.json"))


def workflow_id(path: Path) -> str:
    """A history's path below its feature is its workflow id; one that was continued has ``~<number>`` behind it."""
    return path.relative_to(HISTORIES).with_suffix("").as_posix().partition("/")[2].partition("~")[0]


def case_name(path: Path) -> str:
    """``cancel/work``: the feature, then the job instance, or the kind of workflow that it is."""
    feature, kind, *rest = path.relative_to(HISTORIES).with_suffix("").parts
    return "/".join((feature, rest[-1] if len(rest) > 1 and kind == "run" else kind))


def read(path: Path) -> History:
    """A history as plain JSON."""
    return json.loads(path.read_text())


def find(feature: str, job: str = "") -> Path:
    """The history of a feature's run, or of one of its job instances."""
    (found,) = (path for path in recorded() if case_name(path) == f"{feature}/{job or 'run'}")
    return found


async def replay(id: str, history: History, workflows: Sequence[type] = WORKFLOWS) -> None:
    """Replay; raises what the SDK raises: ``NondeterminismError`` for commands that differ."""
    replayer = Replayer(
        workflows=workflows, data_converter=data_converter(CODEC), workflow_runner=UnsandboxedWorkflowRunner()
    )
    await replayer.replay_workflow(WorkflowHistory.from_json(id, history))


def payloads(value: Any) -> Iterator[bytes]:
    """What is sealed in a history, opened."""
    if isinstance(value, dict):
        if isinstance(value.get("metadata"), dict) and "data" in value:
            yield _open(value)
        else:
            for each in value.values():
                yield from payloads(each)
    elif isinstance(value, list):
        for each in value:
            yield from payloads(each)


def with_input(history: History, change: Callable[[bytes], bytes]) -> History:
    """The history with another input of its workflow."""
    changed = json.loads(json.dumps(history))
    started = changed["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
    started[0] = _seal(change(_open(started[0])))
    return changed


def _open(payload: dict[str, Any]) -> bytes:
    metadata = {key: base64.b64decode(text) for key, text in payload["metadata"].items()}
    data = base64.b64decode(payload["data"])
    return Payload.FromString(CODEC.open(data, metadata)).data if "key" in metadata else data


def _seal(data: bytes) -> dict[str, Any]:
    sealed = CODEC.seal(Payload(metadata={"encoding": b"json/plain"}, data=data).SerializeToString())
    return {
        "metadata": {key: base64.b64encode(text).decode() for key, text in sealed.metadata.items()},
        "data": base64.b64encode(sealed.data).decode(),
    }
