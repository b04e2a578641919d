"""Presence: how an agent says that it is there, keeps its lease and is shown."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from ._base import WIRE_VERSION, Wire
from ._state import AgentRef


class AgentStatus(StrEnum):
    """Whether an agent gets work: only ``online`` ones do."""

    ONLINE = "online"
    OFFLINE = "offline"
    DRAINING = "draining"
    CORDONED = "cordoned"


class BrokenNode(Wire, frozen=True, kw_only=True):
    """A node that an agent found and cannot use: ``reason`` in one line, and the traceback for its author.

    ``name`` is the node's, or the entry point's or file's where no node could be made of it; ``source`` is the
    distribution or the file in the plug-in directory.
    """

    name: str
    source: str
    reason: str
    traceback: str = ""


class AgentHome(Wire, frozen=True, kw_only=True):
    """Where an incarnation lives: its state directory and its process.

    ``nonce`` is random and made once for each state directory: the same one is known again, a copy of it is another.
    """

    nonce: str
    directory: str = ""
    process: int = 0


class AgentDuplicate(Wire, frozen=True, kw_only=True):
    """Another agent with the same id, which was refused at ``time`` and tries again. Where it lives, to find it by."""

    incarnation: str
    name: str = ""
    host: str = ""
    directory: str = ""
    process: int = 0
    time: datetime | None = None


class AgentHello(Wire, frozen=True, kw_only=True):
    """A new incarnation introduces itself, or a living one says that its nodes have changed.

    ``nodes`` maps node names to manifest digests, ``broken_nodes`` are those that it cannot use; ``slots`` =
    steps at once. ``tags`` are plain (``ssd``) or ``key=value``; OS and architecture are implicit. ``capabilities``
    maps what was found to its version (``{"docker": "28.2.2", "python": "3.11.2"}``). ``home`` tells two agents with
    the same id from one that was started again; agents from before it do not say it.
    """

    id: str
    name: str
    incarnation: str
    version: str
    wire: str = WIRE_VERSION
    host: str = ""
    groups: list[str] = []
    tags: list[str] = []
    capabilities: dict[str, str] = {}
    slots: int = 100
    nodes: dict[str, str] = {}
    broken_nodes: list[BrokenNode] = []
    heartbeat_timeout: float = 15.0
    home: AgentHome | None = None

    @property
    def ref(self) -> AgentRef:
        """The agent, named."""
        return AgentRef(id=self.id, name=self.name)


class ModeRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/agents/{id}/drain``, ``/cordon`` and ``/uncordon``: why, for those who look at the agent."""

    reason: str = ""


class LeaseGrant(Wire, frozen=True, kw_only=True):
    """Input of the lease activity: which incarnation holds it, and in which groups it works."""

    incarnation: str
    groups: list[str]


class AgentConfig(Wire, frozen=True, kw_only=True):
    """Pushed to a living agent: its groups now, and whether it may take new work."""

    groups: list[str]
    status: AgentStatus = AgentStatus.ONLINE


class RunningAttempt(Wire, frozen=True, kw_only=True):
    """A step attempt that runs on an agent now. ``job`` is the instance, ``step`` its path in the job."""

    run: str
    job: str
    step: str
    attempt: int
    since: datetime


class AgentLoad(Wire, frozen=True, kw_only=True):
    """Heartbeat of the lease. ``running`` steps of ``slots``; load average over one minute; memory in bytes.

    ``held`` slots are kept for jobs between two of their steps. ``attempts`` are those that run, the oldest first, at
    most 50.
    """

    time: datetime
    running: int
    slots: int
    load1: float = 0.0
    memory_used: int = 0
    memory_total: int = 0
    held: int = 0
    attempts: list[RunningAttempt] = []


class AgentState(Wire, frozen=True, kw_only=True):
    """An agent as ``GET /v1/agents`` shows it. ``reason`` says in words why it is not online.

    ``broken_nodes`` are the nodes that it found and cannot use, with the reason; it may be using their former versions.
    ``registered`` are those of its ``groups`` that it names itself; None where it is not known. ``directory`` and
    ``process`` are its state directory and process id on ``host``. ``duplicate`` is another agent with this id.
    """

    id: str
    name: str
    status: AgentStatus
    reason: str = ""
    host: str = ""
    version: str = ""
    incarnation: str = ""
    groups: list[str] = []
    registered: list[str] | None = None
    tags: list[str] = []
    capabilities: dict[str, str] = {}
    slots: int = 0
    nodes: dict[str, str] = {}
    broken_nodes: list[BrokenNode] = []
    since: datetime | None = None
    load: AgentLoad | None = None
    directory: str = ""
    process: int = 0
    duplicate: AgentDuplicate | None = None
