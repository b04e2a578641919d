"""What a run, its inquiry and the server's activity say to each other."""

from __future__ import annotations

from waterflow_sdk.wire import AgentRef, Wire, run_workflow_id

INQUIRY_WORKFLOW = "WaterflowInquiry"

DEMANDS_ACTIVITY = "FindDemands"
"""On the orchestrator queue: who is to be asked for what before a run starts. ``str`` (the run's id) → ``Demands``."""


def inquiry_workflow_id(run_id: str) -> str:
    """Workflow id of a run's inquiry; no job instance begins with such a sign."""
    return f"{run_workflow_id(run_id)}/#inquiry"


class Demand(Wire, frozen=True, kw_only=True):
    """What one job needs of the agents that may get it. ``job`` is its id, ``release/deploy`` one of a called workflow.

    ``segments`` stand for the secrets; ``agents`` are places in :attr:`Demands.agents`. ``every``: each of them gets
    the job; else one of them does.
    """

    job: str
    segments: list[str]
    agents: list[int]
    every: bool = False


class Demands(Wire, frozen=True, kw_only=True):
    """What the jobs of a run need, and the agents that are asked for it: those that are online."""

    agents: list[AgentRef] = []
    demands: list[Demand] = []


class Lack(Wire, frozen=True, kw_only=True):
    """A secret that a job needs and an agent cannot read. ``code`` and ``message`` are the agent's."""

    job: str
    agent: str
    code: str
    message: str


class Finding(Wire, frozen=True, kw_only=True):
    """What came of an inquiry. ``lacks`` are why the run cannot start, and ``more`` how many of them are not listed.

    ``lacking``: by job, the ids of the agents that are not to get it because others can read what they cannot.
    """

    lacks: list[Lack] = []
    more: int = 0
    lacking: dict[str, list[str]] = {}
