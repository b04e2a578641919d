"""Names that server and agent must agree on: task queues, workflow ids, workflow, update and activity types."""

from __future__ import annotations

ORCHESTRATOR_QUEUE = "waterflow"
"""Task queue of the server's interpreter workers."""

AGENT_WORKFLOW = "WaterflowAgent"
"""Workflow type that stands for one agent; id ``agent/<agent id>``."""

HELLO_UPDATE = "hello"
"""Update of :data:`AGENT_WORKFLOW`, sent with start by a new incarnation before it polls. Takes an ``AgentHello``."""

DUPLICATE_SIGNAL = "duplicate"
"""Signal to :data:`AGENT_WORKFLOW` by an agent that was refused, as another has its id. Takes an ``AgentDuplicate``."""

EXECUTE_ACTIVITY = "ExecuteNode"
"""On the agent's private queue: one attempt of one step. ``NodeTask`` → ``NodeOutcome``."""

CLAIM_ACTIVITY = "Claim"
"""On a group's queue: who takes it, takes the job. ``ClaimRequest`` → ``AgentRef``."""

LEASE_ACTIVITY = "Lease"
"""On the agent's control queue: runs as long as the agent lives. ``LeaseGrant`` → ``str`` (why it ended)."""

MANIFESTS_ACTIVITY = "Manifests"
"""On the agent's control queue: the manifests behind some digests. ``list[str]`` → ``list[NodeManifest]``."""

CONFIGURE_ACTIVITY = "Configure"
"""On the agent's control queue: groups and state of the agent changed. ``AgentConfig`` → ``None``."""

CHECK_SECRETS_ACTIVITY = "CheckSecrets"
"""On the agent's control queue: whether it can read what some segments (:mod:`waterflow_sdk.secrets`) stand for.
``list[str]`` → ``list[SecretAnswer]``, in the same order. Agents from before it do not know the question."""


def group_queue(group: str) -> str:
    """Task queue that every member of a group polls for claims."""
    return f"waterflow.group.{group}"


def agent_queue(agent_id: str) -> str:
    """Private task queue of one agent: the steps it runs."""
    return f"waterflow.agent.{agent_id}"


def control_queue(agent_id: str) -> str:
    """Control task queue of one agent, apart from the steps so that neither ever waits for the other's slots."""
    return f"waterflow.agent.{agent_id}.control"


def run_workflow_id(run_id: str) -> str:
    """Workflow id of a run."""
    return f"run/{run_id}"


def job_workflow_id(run_id: str, instance: str) -> str:
    """Workflow id of a job instance, such as ``run/20261121-k3x9/deploy[web-01]``."""
    return f"run/{run_id}/{instance}"


def call_workflow_id(run_id: str, instance: str) -> str:
    """Workflow id of the reusable workflow that a job instance calls; no job instance has a dot behind its name."""
    return f"run/{run_id}/{instance}.run"


def agent_workflow_id(agent_id: str) -> str:
    """Workflow id of an agent."""
    return f"agent/{agent_id}"


def document_workflow_id(kind: str, name: str) -> str:
    """Workflow id of a document: groups, templates, node manifests."""
    return f"doc/{kind}/{name}"


def run_as_capability(user: str) -> str:
    """The capability of agents that may run steps as a user."""
    return f"run-as/{user}"
