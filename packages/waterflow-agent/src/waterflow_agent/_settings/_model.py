"""What can be set."""

from __future__ import annotations

from pathlib import Path

import msgspec


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of an agent. Times are in seconds, sizes in bytes.

    - ``temporal_address``, ``temporal_namespace``: where the work comes from
    - ``temporal_tls``: use TLS; also on when one of the next three is set, or an API key
    - ``temporal_ca``, ``temporal_cert``, ``temporal_key``: PEM files for TLS; the last two for mTLS
    - ``temporal_api_key``: sent with every call
    - ``server_address``: where step logs are shipped to; None keeps them on this host
    - ``server_api_key``: key with the scope ``agent``
    - ``id``: stable id; None makes one and keeps it in the state directory
    - ``name``: what people call the agent; the host name by default
    - ``groups``, ``tags``: what the agent says of itself; tags are plain or ``key=value``
    - ``capabilities``: declared ones, beside what is found
    - ``max_concurrent_activities``: steps that may run at once
    - ``state_dir``: identity, journal, workspaces; one agent each
    - ``log_dir``: spool of step logs; ``logs`` in the state directory by default
    - ``keys_file``: key ring that seals payloads; the server's must have the same keys
    - ``stop_grace``: how long running steps may go on after SIGTERM
    - ``heartbeat_timeout``: after how long without a heartbeat the server calls the agent offline
    - ``log_max_bytes``: output of one attempt that is kept
    - ``log_keep``, ``work_keep``: how long shipped logs and workspaces stay here
    - ``log_level``: of the agent's own log, on standard error
    """

    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_tls: bool = False
    temporal_ca: Path | None = None
    temporal_cert: Path | None = None
    temporal_key: Path | None = None
    temporal_api_key: str | None = None
    server_address: str | None = None
    server_api_key: str | None = None
    id: str | None = None
    name: str | None = None
    groups: list[str] = []
    tags: list[str] = []
    capabilities: dict[str, str] = {}
    max_concurrent_activities: int = 100
    state_dir: Path = Path("/var/lib/waterflow")
    log_dir: Path | None = None
    keys_file: Path | None = None
    stop_grace: float = 30.0
    heartbeat_timeout: float = 15.0
    log_max_bytes: int = 100 * 1024 * 1024
    log_keep: float = 7 * 86400.0
    work_keep: float = 7 * 86400.0
    log_level: str = "info"
