"""The workflow file of a generated workflow. It is JSON, which is YAML as well."""

from __future__ import annotations

import json
from typing import Any

from ._model import AGENTS, GROUP, Branch, Each, Job, Loop, Node, Step, Together, Workflow

HEARTBEAT = 3
"""Seconds until the activity of a killed agent counts as lost."""

LOSS_WAIT = 40
"""Seconds until an agent counts as lost for good; each comes back sooner."""

SCRIPT = """
printf 'begin %s\\n' "$WATERFLOW_ATTEMPT" >> "$EFFECTS"
i=0
while [ $i -lt "$LINES_TO_PRINT" ]; do
  i=$((i + 1))
  echo "line $i of $TOKEN"
  [ $i -ne 1 ] || sleep "$PAUSE"
done
[ -z "$COUNTS" ] || echo "n=$((${N:-0} + 1))" >> "$WATERFLOW_OUTPUT"
printf 'end %s\\n' "$WATERFLOW_ATTEMPT" >> "$EFFECTS"
[ "${WATERFLOW_ATTEMPT##*.}" -gt "$FAILS" ]
"""


def source(workflow: Workflow, effects: str) -> str:
    """The text; steps append to the file ``effects``."""
    return json.dumps(
        {
            "name": workflow.name,
            "env": {"EFFECTS": effects},
            "jobs": {job.id: _job(job) for job in workflow.jobs},
        }
    )


def line(number: int, step: Step) -> str:
    """A line that a step prints."""
    return f"line {number} of {step.name}"


def undo_of(step: Step) -> Step:
    """The rollback of a step."""
    return Step(name=f"undo-{step.name}")


def _job(job: Job) -> dict[str, Any]:
    made: dict[str, Any] = {
        "needs": job.needs,
        "runs-on": _runs_on(job.where),
        "offline": {"wait": "60s"},
        "agent-loss": {"policy": job.loss, "for": f"{LOSS_WAIT}s"},
        "continue-on-error": job.tolerated,
        "steps": _nodes(job.steps),
        "on-failure": _nodes(job.on_failure),
        "finally": _nodes(job.finally_),
    }
    if job.condition:
        made["if"] = job.condition
    if job.retry > 1:
        made["retry"] = {"max-attempts": job.retry, "initial-interval": "100ms"}
    if job.matrix:
        strategy: dict[str, Any] = {"matrix": {"m": [f"m{number}" for number in range(job.matrix)]}}
        strategy["fail-fast"] = job.fail_fast
        made["strategy"] = strategy | ({"max-parallel": job.max_parallel} if job.max_parallel else {})
    return {key: value for key, value in made.items() if value != []}


def _runs_on(where: str) -> dict[str, str]:
    if where in AGENTS:
        return {"agent": where}
    return {"group": GROUP, "target": where}


def _nodes(nodes: list[Any]) -> list[dict[str, Any]]:
    return [_node(node) for node in nodes]


def _node(node: Node) -> dict[str, Any]:
    if isinstance(node, Step):
        return _step(node)
    if isinstance(node, Branch):
        made = {"if": "1 == 1" if node.test else "1 == 2", "then": _nodes(node.then)}
        made |= {"else": _nodes(node.otherwise)} if node.otherwise else {}
    elif isinstance(node, Each):
        made = {
            "for-each": list(range(node.items)),
            "max-parallel": node.parallel,
            "fail-fast": node.fail_fast,
            "steps": _nodes(node.steps),
        }
    elif isinstance(node, Together):
        made = {"parallel": _nodes(node.steps), "max-parallel": node.limit, "fail-fast": node.fail_fast}
    else:
        made = _loop(node)
    return {"name": node.name, **made}


def _loop(loop: Loop) -> dict[str, Any]:
    count = f"steps.{loop.counter.name}.outputs.n"
    counter = _step(loop.counter) | {"id": loop.counter.name}
    counter["env"] |= {"COUNTS": "yes", "N": f"${{{{ {count} }}}}"}
    return {"while": f"{count} != '{loop.turns}'", "max-iterations": 20, "steps": [counter, *_nodes(loop.steps)]}


def _step(step: Step) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": step.name,
        "run": SCRIPT,
        "env": {
            "TOKEN": step.name,
            "FAILS": str(step.fails),
            "PAUSE": str(step.seconds),
            "LINES_TO_PRINT": str(step.lines),
            "COUNTS": "",
        },
        "heartbeat-timeout": f"{HEARTBEAT}s",
        "continue-on-error": step.tolerated,
    }
    if step.condition:
        made["if"] = step.condition
    if step.retry > 1:
        made["retry"] = {"max-attempts": step.retry, "initial-interval": "50ms"}
    if step.undo:
        made["rollback"] = [_step(undo_of(step))]
    return made
