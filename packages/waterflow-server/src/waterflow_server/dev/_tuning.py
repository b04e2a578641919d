"""The command line of the embedded Temporal server: why it is ten times faster than a stock dev server.

Each value was measured (server 1.29); the stock dev server takes 100 ms for a sequential activity, this one 8.5-10 ms.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ._ports import LOOPBACK

DYNAMIC_CONFIG: dict[str, str] = {
    # 20 per shard by default, and the dev server has one shard: the whole server would hand out 20 batches of tasks a
    # second, which is the 100 ms of each sequential activity.
    "history.transferProcessorMaxPollRPS": "2000",
    # The same limit for timers and retry back-offs.
    "history.timerProcessorMaxPollRPS": "2000",
    # The same limit for what makes a change of a run visible in lists.
    "history.visibilityProcessorMaxPollRPS": "500",
    # By default these two queues forget tasks that are done every 30 s. Where one is under way just then, they look at
    # all that they held for each new task until the next time: 5-10 % of a step.
    "history.transferProcessorUpdateAckInterval": '"1s"',
    "history.visibilityProcessorUpdateAckInterval": '"1s"',
    # By default timers are looked for one second ahead, so each timer and back-off takes at least 1.02 s; now 0.04 s.
    "history.timerProcessorMaxTimeShift": '"20ms"',
    # With the default of four partitions a task now and then lies for two seconds until a poller of its partition
    # comes; one server of this size needs one.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # Documents live in memos of up to 256 KB; the default warns in the log for each one over 2 KB. 2 MB is the limit
    # at which the server refuses, so nothing is left to warn of.
    "limit.memoSize.warn": "2097152",
    # Polls of all agents together, by default 1,200: an agent has four, more in several groups, and who is over the
    # limit gets no work and loses its lease.
    "frontend.namespaceCount": "20000",
    # The dev server reads its table of search attributes from the database for every poll, every change of a run and
    # every row of a list, so that new ones are known at once: two thirds of what listing 300 agents cost.
    "system.forceSearchAttributesCacheRefreshOnRead": "false",
}

SEARCH_ATTRIBUTES: dict[str, str] = {
    "WaterflowGroups": "KeywordList",
    "WaterflowTags": "KeywordList",
    "WaterflowKind": "Keyword",
    "WaterflowName": "Keyword",
    "WaterflowState": "Keyword",
    "WaterflowStartedBy": "Keyword",
    "WaterflowTenant": "Keyword",
    "WaterflowBranch": "Keyword",
    "WaterflowCommit": "Keyword",
    "WaterflowLink": "Keyword",
}
"""Those of `_search_attributes` (a test compares them; that module would import temporalio here). A new namespace has
them from the start: registered later, each part of the server would know of them only two seconds after that."""

SQLITE_PRAGMAS: dict[str, str] = {
    # Readers do not wait for the writer, and one write to the disk per transaction instead of two.
    "journal_mode": "WAL",
    # With WAL, NORMAL keeps the database whole after a crash of the process or the machine; a crash of the machine can
    # lose the last moments, a crash of the process cannot.
    "synchronous": "NORMAL",
}


class TemporalPorts(msgspec.Struct, frozen=True, kw_only=True):
    """The ports of one server; `ui` is None when the UI is off."""

    frontend: int
    http: int
    ui: int | None
    metrics: int


def server_command(binary: Path, database: Path, ports: TemporalPorts) -> list[str]:
    """The arguments that start the tuned server."""
    command = [str(binary), "server", "start-dev", "--ip", LOOPBACK, "--db-filename", str(database)]
    command += ["--port", str(ports.frontend), "--http-port", str(ports.http), "--metrics-port", str(ports.metrics)]
    command += ["--headless"] if ports.ui is None else ["--ui-ip", LOOPBACK, "--ui-port", str(ports.ui)]
    command += ["--log-level", "warn"]
    # The user's own profile of the Temporal CLI is about clients; nothing in it may change this server.
    command += ["--disable-config-file", "--disable-config-env"]
    for name, kind in SEARCH_ATTRIBUTES.items():
        command += ["--search-attribute", f"{name}={kind}"]
    for key, value in DYNAMIC_CONFIG.items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    for pragma, value in SQLITE_PRAGMAS.items():
        command += ["--sqlite-pragma", f"{pragma}={value}"]
    return command
