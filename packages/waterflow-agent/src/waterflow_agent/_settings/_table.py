"""Every setting with all its spellings: flag, environment variables, keys of ``agent.yaml``."""

from __future__ import annotations

from typing import NamedTuple

from . import _parse as parse


class Setting(NamedTuple):
    """One setting. Of several spellings in one source, the first counts; lists with ``merge`` are put together."""

    field: str
    parse: parse.Parse
    flag: str
    env: tuple[str, ...]
    keys: tuple[str, ...]
    help: str
    secret: bool = False
    merge: bool = False


_LEVEL = parse.one_of("debug", "info", "warning", "error")

SETTINGS = (
    Setting(
        "temporal_address",
        parse.address,
        "temporal",
        ("WATERFLOW_TEMPORAL_ADDRESS", "TEMPORAL_ADDRESS", "TEMPORAL_HOST"),
        ("temporal.address", "temporal.host"),
        "Temporal's frontend, host:port",
    ),
    Setting(
        "temporal_namespace",
        parse.text,
        "namespace",
        ("WATERFLOW_TEMPORAL_NAMESPACE", "TEMPORAL_NAMESPACE"),
        ("temporal.namespace",),
        "namespace of Temporal",
    ),
    Setting(
        "temporal_tls",
        parse.switch,
        "temporal-tls",
        ("WATERFLOW_TEMPORAL_TLS", "TEMPORAL_TLS"),
        ("temporal.tls",),
        "use TLS to Temporal: on, off",
    ),
    Setting(
        "temporal_ca",
        parse.path,
        "temporal-ca",
        ("WATERFLOW_TEMPORAL_CA", "TEMPORAL_TLS_CA"),
        ("temporal.ca",),
        "PEM file that Temporal's certificate is checked against",
    ),
    Setting(
        "temporal_cert",
        parse.path,
        "temporal-cert",
        ("WATERFLOW_TEMPORAL_CERT", "TEMPORAL_TLS_CERT"),
        ("temporal.cert",),
        "PEM file with this agent's certificate (mTLS)",
    ),
    Setting(
        "temporal_key",
        parse.path,
        "temporal-key",
        ("WATERFLOW_TEMPORAL_KEY", "TEMPORAL_TLS_KEY"),
        ("temporal.key",),
        "PEM file with its private key (mTLS)",
    ),
    Setting(
        "temporal_server_name",
        parse.text,
        "temporal-server-name",
        ("WATERFLOW_TEMPORAL_SERVER_NAME", "TEMPORAL_TLS_SERVER_NAME"),
        ("temporal.server_name",),
        "name in its certificate, where that is not the host",
    ),
    Setting(
        "temporal_api_key",
        parse.text,
        "",
        ("WATERFLOW_TEMPORAL_API_KEY", "TEMPORAL_API_KEY"),
        ("temporal.api_key",),
        "API key for Temporal",
        secret=True,
    ),
    Setting(
        "temporal_api_key_file",
        parse.path,
        "temporal-api-key-file",
        ("WATERFLOW_TEMPORAL_API_KEY_FILE", "TEMPORAL_API_KEY_FILE"),
        ("temporal.api_key_file",),
        "file with the API key for Temporal; another key in it is used without restart",
    ),
    Setting(
        "server_address",
        parse.text,
        "server",
        ("WATERFLOW_SERVER", "SERVER_ADDRESS"),
        ("server.address",),
        "Waterflow server that step logs are sent to, [https://]host:port",
    ),
    Setting(
        "server_ca", parse.path, "server-ca", ("WATERFLOW_SERVER_CA",), ("server.ca",), "PEM file for its certificate"
    ),
    Setting(
        "server_cert",
        parse.path,
        "server-cert",
        ("WATERFLOW_SERVER_CERT",),
        ("server.cert",),
        "PEM file with the certificate that the server is shown (mTLS)",
    ),
    Setting(
        "server_key",
        parse.path,
        "server-key",
        ("WATERFLOW_SERVER_KEY",),
        ("server.key",),
        "PEM file with its private key (mTLS)",
    ),
    Setting(
        "server_api_key",
        parse.text,
        "",
        ("WATERFLOW_API_KEY", "SERVER_API_KEY"),
        ("server.api_key",),
        "API key for the server",
        secret=True,
    ),
    Setting(
        "server_api_key_file",
        parse.path,
        "api-key-file",
        ("WATERFLOW_API_KEY_FILE", "SERVER_API_KEY_FILE"),
        ("server.api_key_file",),
        "file with the API key for the server; another key in it is used without restart",
    ),
    Setting("id", parse.agent_id, "id", ("WATERFLOW_AGENT_ID",), ("agent.id",), "stable id; made and kept by default"),
    Setting("name", parse.text, "name", ("WATERFLOW_AGENT_NAME",), ("agent.name",), "name; the host name by default"),
    Setting(
        "groups",
        parse.words,
        "groups",
        ("WATERFLOW_GROUPS", "SERVER_GROUP"),
        ("agent.server_group", "agent.additional_groups", "agent.groups"),
        "groups that this agent is a member of, with commas",
        merge=True,
    ),
    Setting("tags", parse.tags, "tags", ("WATERFLOW_TAGS", "TAGS"), ("agent.tags",), "tags, plain or key=value"),
    Setting(
        "capabilities",
        parse.pairs,
        "capabilities",
        ("WATERFLOW_CAPABILITIES",),
        ("agent.capabilities",),
        "capabilities to declare, key=version",
    ),
    Setting(
        "max_concurrent_activities",
        parse.count,
        "slots",
        ("WATERFLOW_SLOTS", "WATERFLOW_MAX_CONCURRENT_ACTIVITIES"),
        ("worker.max_concurrent_activities",),
        "steps that may run at once",
    ),
    Setting(
        "run_as",
        parse.words,
        "run-as",
        ("WATERFLOW_RUN_AS",),
        ("nodes.run_as",),
        "users that steps may run as, beside the agent's own, with commas",
    ),
    Setting(
        "memory_limit",
        parse.size,
        "memory-limit",
        ("WATERFLOW_MEMORY_LIMIT",),
        ("nodes.memory_limit",),
        "memory that a process of a step may have at most, such as 2GiB",
    ),
    Setting(
        "script_timeout",
        parse.limit,
        "script-timeout",
        ("WATERFLOW_SCRIPT_TIMEOUT",),
        ("nodes.script_timeout",),
        "how long a script may run whose step names no timeout, such as 1h",
    ),
    Setting(
        "docker_socket",
        parse.path,
        "docker-socket",
        ("WATERFLOW_DOCKER_SOCKET",),
        ("nodes.docker_socket",),
        "socket of Docker, where it is not at its usual place",
    ),
    Setting(
        "plugin_dir",
        parse.path,
        "plugin-dir",
        ("WATERFLOW_PLUGIN_DIR", "PLUGIN_DIR"),
        ("plugins.dir",),
        "directory whose files are nodes; it need not exist",
    ),
    Setting(
        "plugin_reload",
        parse.switch,
        "plugin-reload",
        ("WATERFLOW_PLUGIN_RELOAD",),
        ("plugins.reload",),
        "notice new, changed and removed nodes without restart: on, off",
    ),
    Setting(
        "state_dir",
        parse.path,
        "state-dir",
        ("WATERFLOW_STATE_DIR",),
        ("agent.state_dir",),
        "directory for identity, journal and workspaces",
    ),
    Setting(
        "log_dir",
        parse.path,
        "log-dir",
        ("WATERFLOW_LOG_DIR", "LOG_OUTPUT_PATH"),
        ("logging.output_path",),
        "directory for step logs",
    ),
    Setting(
        "keys_file",
        parse.path,
        "keys-file",
        ("WATERFLOW_KEYS_FILE",),
        ("encryption.keys_file",),
        "key ring that seals payloads, as the server has it",
    ),
    Setting(
        "secrets_allow",
        parse.secret_patterns,
        "secrets-allow",
        ("WATERFLOW_SECRETS_ALLOW",),
        ("secrets.allow",),
        "secrets that workflows may read here, such as env:DB_*, file:/run/secrets/",
    ),
    Setting(
        "vault_address",
        parse.web_address,
        "vault",
        (
            "WATERFLOW_VAULT_ADDRESS",
            "VAULT_ADDR",
        ),
        ("vault.address",),
        "Vault, such as https://vault:8200",
    ),
    Setting(
        "vault_token",
        parse.text,
        "",
        (
            "WATERFLOW_VAULT_TOKEN",
            "VAULT_TOKEN",
        ),
        ("vault.token",),
        "token for Vault",
        secret=True,
    ),
    Setting(
        "vault_token_file",
        parse.path,
        "vault-token-file",
        ("WATERFLOW_VAULT_TOKEN_FILE",),
        ("vault.token_file",),
        "file with the token for Vault, read each time",
    ),
    Setting(
        "vault_role_id",
        parse.text,
        "vault-role-id",
        ("WATERFLOW_VAULT_ROLE_ID",),
        ("vault.role_id",),
        "role id of an AppRole of Vault",
    ),
    Setting(
        "vault_secret_id_file",
        parse.path,
        "vault-secret-id-file",
        ("WATERFLOW_VAULT_SECRET_ID_FILE",),
        ("vault.secret_id_file",),
        "file with the secret id of the AppRole",
    ),
    Setting(
        "vault_namespace",
        parse.text,
        "vault-namespace",
        (
            "WATERFLOW_VAULT_NAMESPACE",
            "VAULT_NAMESPACE",
        ),
        ("vault.namespace",),
        "namespace of Vault",
    ),
    Setting(
        "vault_ca",
        parse.path,
        "vault-ca",
        (
            "WATERFLOW_VAULT_CA",
            "VAULT_CACERT",
        ),
        ("vault.ca",),
        "PEM file that Vault's certificate is checked against",
    ),
    Setting(
        "keep_steps",
        parse.switch,
        "keep-steps",
        ("WATERFLOW_KEEP_STEPS",),
        ("agent.keep_steps",),
        "let steps survive a kill of the agent: on, off",
    ),
    Setting(
        "stop_grace",
        parse.duration,
        "stop-grace",
        ("WATERFLOW_STOP_GRACE",),
        ("agent.stop_grace",),
        "how long running steps may go on after SIGTERM",
    ),
    Setting(
        "heartbeat_timeout",
        parse.duration,
        "heartbeat-timeout",
        ("WATERFLOW_HEARTBEAT_TIMEOUT",),
        ("agent.heartbeat_timeout",),
        "after how long without a sign the agent counts as offline",
    ),
    Setting(
        "log_max_bytes",
        parse.size,
        "log-max-size",
        ("WATERFLOW_LOG_MAX_SIZE",),
        ("logging.max_size",),
        "output of one step that is kept",
    ),
    Setting(
        "log_keep", parse.duration, "log-keep", ("WATERFLOW_LOG_KEEP",), ("logging.keep",), "age of removed step logs"
    ),
    Setting(
        "work_keep", parse.duration, "work-keep", ("WATERFLOW_WORK_KEEP",), ("agent.work_keep",), "and of workspaces"
    ),
    Setting(
        "log_level",
        _LEVEL,
        "log-level",
        ("WATERFLOW_LOG_LEVEL", "LOG_LEVEL"),
        ("logging.level",),
        "of the agent's own log: debug, info, warning, error",
    ),
    Setting(
        "log_format",
        parse.one_of("text", "json"),
        "log-format",
        ("WATERFLOW_LOG_FORMAT", "LOG_FORMAT"),
        ("logging.format",),
        "of the agent's own log: text, json",
    ),
    Setting(
        "log_output",
        parse.text,
        "log-output",
        ("WATERFLOW_LOG_OUTPUT",),
        ("logging.output",),
        "of the agent's own log: stderr, stdout or a file",
    ),
)

IGNORED = {
    "worker.task_queue": "task queues are named by Waterflow; use agent.server_group",
    "worker.max_concurrent_workflows": "an agent runs no workflows",
    "logging.output_type": "step logs always go to logging.output_path and to the server",
    "TASK_QUEUE": "task queues are named by Waterflow; use SERVER_GROUP",
    "LOG_OUTPUT_TYPE": "step logs always go to LOG_OUTPUT_PATH and to the server",
}
"""Spellings that are accepted and change nothing, with the reason that is told."""
