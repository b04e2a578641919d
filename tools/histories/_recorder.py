"""From Temporal to files, without what belongs to the machine that records."""

from __future__ import annotations

import base64
import json
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from waterflow_sdk.codec import PayloadCodec

REPOSITORY = Path(__file__).resolve().parents[2]
HISTORIES = REPOSITORY / "conformance" / "histories"


class Recorder:
    """Writes histories as they are in Temporal, without what belongs to this machine."""

    def __init__(self, client: Client, codec: PayloadCodec, root: Path) -> None:
        self.client = client
        self._codec = codec
        # As words of their own: a host may have a name as short as `vm`.
        self._replaced = {
            re.compile(rf"(?<![A-Za-z0-9]){re.escape(found)}(?![A-Za-z0-9])"): instead
            for found, instead in (
                (str(root), "/srv/waterflow"),
                (str(REPOSITORY), "/usr/src/waterflow"),
                (sys.prefix, "/usr"),  # in stack traces
                (socket.gethostname(), "recorder"),
            )
        }

    async def record(self, feature: str, workflow_id: str) -> None:
        """Write the history of a workflow and of all its children; what it was continued from as ``<id>~1.json``, …"""
        run_id, number = None, 0
        while number == 0 or run_id:
            name = f"{workflow_id}~{number}" if number else workflow_id
            run_id = await self._record_one(feature, workflow_id, run_id, name)
            number += 1

    async def has_marker(self, workflow_id: str, marker: str) -> bool:
        """Whether a workflow has come upon a version marker."""
        history = await self.client.get_workflow_handle(workflow_id).fetch_history()
        found = [event.marker_recorded_event_attributes for event in history.events]
        return any(marker.encode() in each.details["patch-data"].payloads[0].data for each in found if each.details)

    async def _record_one(self, feature: str, workflow_id: str, run_id: str | None, name: str) -> str:
        """Write one history; returns the id of the run that it continues."""
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)
        history = json.loads((await handle.fetch_history()).to_json())
        events = [json.dumps(self._clean(event), separators=(",", ":")) for event in history["events"]]
        path = HISTORIES / feature / f"{self._replace(name)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        # An event a line, so that two recordings can be compared.
        path.write_text('{"events":[\n' + ",\n".join(events) + "\n]}\n")
        for child in _children(history["events"]):
            await self.record(feature, child)
        return history["events"][0]["workflowExecutionStartedEventAttributes"].get("continuedExecutionRunId", "")

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            if isinstance(value.get("metadata"), dict) and isinstance(value.get("data"), str):
                return self._clean_payload(value)
            return {key: self._clean(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._clean(each) for each in value]
        return self._replace(value) if isinstance(value, str) else value

    def _clean_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        metadata = {key: base64.b64decode(text) for key, text in payload["metadata"].items()}
        data = base64.b64decode(payload["data"])
        if "key" not in metadata:
            return {**payload, "data": base64.b64encode(self._replace(data.decode()).encode()).decode()}
        inner = Payload.FromString(self._codec.open(data, metadata))
        inner.data = self._replace(inner.data.decode()).encode()
        sealed = self._codec.seal(inner.SerializeToString())
        return {
            "metadata": {key: base64.b64encode(text).decode() for key, text in sealed.metadata.items()},
            "data": base64.b64encode(sealed.data).decode(),
        }

    def _replace(self, text: str) -> str:
        for found, instead in self._replaced.items():
            text = found.sub(instead, text)
        return text


def _children(events: list[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        if started := event.get("childWorkflowExecutionStartedEventAttributes"):
            yield started["workflowExecution"]["workflowId"]
