"""Steps that write down when they begin and end, and what that says about who was there at once."""

from __future__ import annotations

import textwrap
from pathlib import Path

from harness import Site
from harness.site import until
from temporalio.client import Client
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from waterflow_sdk.client import Run
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.wire import State
from waterflow_server._converter import data_converter
from waterflow_server.engine.worker import WORKFLOWS


class Effects:
    """A file to which steps append ``begin <name>`` and ``end <name>``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[str]:
        """What was written so far."""
        return self.path.read_text().splitlines() if self.path.exists() else []

    def order(self) -> list[str]:
        """The names in the order in which they began. Fails when two were there at once."""
        names: list[str] = []
        inside = ""
        for line in self.lines():
            what, name = line.split()
            if what == "begin":
                assert not inside, f"{name} began while {inside} was there: {self.lines()}"
                names.append(name)
            else:
                assert name == inside, f"{name} ended, but {inside or 'nobody'} was there: {self.lines()}"
            inside = name if what == "begin" else ""
        return names

    async def until_begun(self, name: str) -> None:
        """Wait until a step with this name has begun."""

        async def begun() -> bool:
            return f"begin {name}" in self.lines()

        await until(begun, f"{name} has begun")

    def step(self, name: str, seconds: float) -> str:
        """A step that begins, takes its time and ends, also when it is cancelled."""
        return self._step(name, f"for i in $(seq {int(seconds * 20)}); do sleep 0.05; done")

    def held_step(self, name: str) -> str:
        """A step that begins, and ends when it is cancelled or let go."""
        return self._step(name, f"until test -e {self._gate(name)}; do sleep 0.1; done")

    def let_go(self, name: str) -> None:
        """A held step ends."""
        self._gate(name).touch()

    def _gate(self, name: str) -> Path:
        return self.path.with_name(f"{name}.go")

    def _step(self, name: str, work: str) -> str:
        script = f"""
            trap 'echo end {name} >> {self.path}; exit 1' TERM
            echo begin {name} >> {self.path}
            {work}
            echo end {name} >> {self.path}
        """
        return f"{{run: {yaml_text(script)}}}"

    def workflow(self, name: str, seconds: float, group: str = "prod", on_conflict: str = "queue") -> str:
        """A workflow with one such step, and a concurrency group of the file."""
        return self._workflow(name, self.step(name, seconds), group, on_conflict)

    def held(self, name: str, group: str = "prod", on_conflict: str = "queue") -> str:
        """The same with a held step."""
        return self._workflow(name, self.held_step(name), group, on_conflict)

    def _workflow(self, name: str, step: str, group: str, on_conflict: str) -> str:
        return f"""
            name: {name}
            concurrency: {{group: "{group}", on-conflict: {on_conflict}}}
            jobs:
              work: {{runs-on: web, steps: [{step}]}}
        """


async def connect(site: Site) -> Client:
    """A client of the site's Temporal that reads what the server writes."""
    codec = PayloadCodec(KeyRing.load(site.root / "keys.json"))
    return await Client.connect(site.temporal.address, data_converter=data_converter(codec))


async def replay_everything(site: Site) -> int:
    """Replay what every run, job and coordinator of the site has done; fails where today's code would do otherwise."""
    temporal = await connect(site)
    replayer = Replayer(
        workflows=WORKFLOWS, data_converter=temporal.data_converter, workflow_runner=UnsandboxedWorkflowRunner()
    )
    count = 0
    async for execution in temporal.list_workflows("WorkflowType IN ('WaterflowRun', 'WaterflowJob', 'WaterflowLock')"):
        handle = temporal.get_workflow_handle(execution.id, run_id=execution.run_id)
        await replayer.replay_workflow(await handle.fetch_history())
        count += 1
    return count


def yaml_text(text: str) -> str:
    """A text of several lines as a YAML scalar in one line."""
    inner = textwrap.dedent(text).strip().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


async def until_queued(run: Run, *, behind: str = "") -> str:
    """Wait until a run is queued (behind that run), and give the reason."""
    reasons: list[str] = []

    async def queued() -> bool:
        state = await run.status()
        reasons.append(state.reason)
        return state.state is State.QUEUED and behind in state.reason

    await until(queued, f"run {run.id} is queued")
    return reasons[-1]
