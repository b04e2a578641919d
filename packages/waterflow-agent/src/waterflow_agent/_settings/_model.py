"""What can be set."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

SYSTEM_STATE = Path("/var/lib/waterflow")
SYSTEM_PLUGINS = Path("/opt/waterflow/plugins")
SYSTEM_LOGS = Path("/var/log/waterflow")


def default_state_dir() -> Path:
    """``/var/lib/waterflow`` for root, else ``waterflow/agent`` in the user's state directory (XDG)."""
    if os.geteuid() == 0:
        return SYSTEM_STATE
    base = os.environ.get("XDG_STATE_HOME", "")
    # XDG base directory specification: a relative path is invalid and must be ignored.
    root = Path(base) if os.path.isabs(base) else Path.home() / ".local" / "state"
    return root / "waterflow" / "agent"


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of an agent. Times are in seconds, sizes in bytes.

    - ``temporal_address``, ``temporal_namespace``: where the work comes from
    - ``temporal_tls``: use TLS; also on when one of the next five is set
    - ``temporal_ca``, ``temporal_cert``, ``temporal_key``: PEM files for TLS; the last two for mTLS
    - ``temporal_server_name``: name in Temporal's certificate, where it is not the host of the address
    - ``temporal_api_key``: sent with every call to Temporal
    - ``temporal_api_key_file``: where it stands, and is read anew when it is another one
    - ``server_address``: where step logs are shipped to; None keeps them on this host
    - ``server_ca``: PEM file with the certificates that the server's is checked against; the system's by default
    - ``server_cert``, ``server_key``: PEM files with a certificate that is shown to the server (mTLS)
    - ``server_api_key``: key with the scope ``agent``
    - ``server_api_key_file``: where it stands, and is read anew when it is another one
    - ``id``: stable id; None makes one and keeps it in the state directory
    - ``name``: what people call the agent; None = the host name
    - ``groups``, ``tags``: what the agent says of itself; tags are plain or ``key=value``
    - ``capabilities``: declared ones, beside what is found
    - ``run_as``: users that steps may run as, beside the agent's own
    - ``memory_limit``: memory that a process of a step may have at most; None = no limit but what steps ask for
    - ``script_timeout``: limit of a step that runs a script and names no ``timeout`` itself; None = no limit
    - ``docker_socket``: socket of Docker; None = what ``DOCKER_HOST`` says, else Docker's own place for it
    - ``plugin_dir``: files in it are nodes; it need not exist
    - ``plugin_reload``: whether nodes that are added, changed or removed are noticed while the agent runs
    - ``max_concurrent_activities``: steps that may run at once
    - ``state_dir``: identity, journal, workspaces; one agent each
    - ``log_dir``: spool of step logs; None = ``/var/log/waterflow`` where the state directory is the system's, else
      ``logs`` in the state directory
    - ``keys_file``: key ring that seals payloads; the server's must have the same keys
    - ``secrets_allow``: secrets that this agent may read for workflows: ``env:NAME``, ``env:PREFIX*``, ``file:/path``,
      ``file:/directory/``, ``vault:mount/path``, ``vault:mount/path/*``; none by default
    - ``vault_address`` and the others of Vault: where it is, and a token or an AppRole to get in
    - ``keep_steps``: whether steps survive a kill of the agent, to be adopted by its next start (Linux)
    - ``stop_grace``: how long running steps may go on after SIGTERM
    - ``heartbeat_timeout``: after how long without a heartbeat the server calls the agent offline
    - ``log_max_bytes``: output of one attempt that is kept
    - ``log_keep``, ``work_keep``: how long shipped logs and workspaces stay on this host
    - ``log_level``, ``log_format``, ``log_output``: of the agent's own log
    """

    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_tls: bool = False
    temporal_ca: Path | None = None
    temporal_cert: Path | None = None
    temporal_key: Path | None = None
    temporal_server_name: str | None = None
    temporal_api_key: str | None = None
    temporal_api_key_file: Path | None = None
    server_address: str | None = None
    server_ca: Path | None = None
    server_cert: Path | None = None
    server_key: Path | None = None
    server_api_key: str | None = None
    server_api_key_file: Path | None = None
    id: str | None = None
    name: str | None = None
    groups: list[str] = []
    tags: list[str] = []
    capabilities: dict[str, str] = {}
    max_concurrent_activities: int = 100
    run_as: list[str] = []
    memory_limit: int | None = None
    script_timeout: float | None = None
    docker_socket: Path | None = None
    plugin_dir: Path = SYSTEM_PLUGINS
    plugin_reload: bool = True
    state_dir: Path = msgspec.field(default_factory=default_state_dir)
    log_dir: Path | None = None
    keys_file: Path | None = None
    secrets_allow: list[str] = []
    vault_address: str | None = None
    vault_token: str | None = None
    vault_token_file: Path | None = None
    vault_role_id: str | None = None
    vault_secret_id_file: Path | None = None
    vault_namespace: str | None = None
    vault_ca: Path | None = None
    keep_steps: bool = True
    stop_grace: float = 30.0
    heartbeat_timeout: float = 15.0
    log_max_bytes: int = 100 * 1024 * 1024
    log_keep: float = 7 * 86400.0
    work_keep: float = 7 * 86400.0
    log_level: str = "info"
    log_format: str = "text"
    log_output: str = "stderr"

    @property
    def spool_dir(self) -> Path:
        """Where step logs are spooled."""
        if self.log_dir:
            return self.log_dir
        return SYSTEM_LOGS if self.state_dir == SYSTEM_STATE else self.state_dir / "logs"
