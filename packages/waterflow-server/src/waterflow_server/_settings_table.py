"""Every setting once: its name, its spellings in file and environment, its flag, its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from . import _settings_values as values
from ._logging import LEVELS


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """``keys`` are dotted keys of the file; of ``environ`` the first goes before the others.

    ``kind`` is what msgspec converts to, ``parse`` then checks or completes the value (ValueError), ``expects`` says in
    words what it may be.
    """

    name: str
    keys: tuple[str, ...]
    environ: tuple[str, ...]
    flag: str
    kind: Any
    help: str
    expects: str = ""
    parse: Callable[[Any], Any] = lambda value: value


HISTORY_EVENTS = 4000
"""Temporal itself suggests at 4,096 events that a workflow should continue as new, and ends it at 51,200."""

_NAME = "text that is not empty"

TABLE = (
    Setting(
        name="temporal.address",
        keys=("temporal.address", "temporal.host"),
        environ=("WATERFLOW_TEMPORAL_ADDRESS", "TEMPORAL_ADDRESS", "TEMPORAL_HOST"),
        flag="--temporal",
        kind=str,
        expects="host:port, such as 127.0.0.1:7233",
        parse=values.address,
        help="address of Temporal, host:port (default 127.0.0.1:7233)",
    ),
    Setting(
        name="temporal.namespace",
        keys=("temporal.namespace",),
        environ=("WATERFLOW_TEMPORAL_NAMESPACE", "TEMPORAL_NAMESPACE"),
        flag="--namespace",
        kind=str,
        expects=_NAME,
        parse=values.text,
        help="namespace in Temporal (default default)",
    ),
    Setting(
        name="temporal.wait",
        keys=("temporal.wait",),
        environ=("WATERFLOW_TEMPORAL_WAIT",),
        flag="--temporal-wait",
        kind=float,
        expects="a number of seconds above 0",
        parse=values.seconds,
        help="how long to wait for a Temporal that does not answer, in seconds (default 10)",
    ),
    Setting(
        name="host",
        keys=("server.host",),
        environ=("WATERFLOW_HOST",),
        flag="--host",
        kind=str,
        expects=_NAME,
        parse=values.text,
        help="address to listen on (default 127.0.0.1)",
    ),
    Setting(
        name="port",
        keys=("server.port",),
        environ=("WATERFLOW_PORT",),
        flag="--port",
        kind=int,
        expects="a port, 1 to 65535",
        parse=values.port,
        help="port to listen on (default 8080)",
    ),
    Setting(
        name="ingest_port",
        keys=("server.ingest_port",),
        environ=("WATERFLOW_INGEST_PORT",),
        flag="--ingest-port",
        kind=int,
        expects="a port, or 0 for none",
        parse=lambda value: value and values.port(value),
        help="port that takes only logs of agents (default 9090 on loopback, where it is free)",
    ),
    Setting(
        name="log_level",
        keys=("server.log_level",),
        environ=("WATERFLOW_LOG_LEVEL",),
        flag="--log-level",
        kind=str,
        expects=f"one of {', '.join(LEVELS)}",
        parse=values.level,
        help=f"{', '.join(LEVELS)} (default info)",
    ),
    Setting(
        name="data_dir",
        keys=("server.data_dir",),
        environ=("WATERFLOW_DATA_DIR",),
        flag="--data-dir",
        kind=str,
        expects="a directory",
        parse=values.path,
        help="directory for the logs of runs (default ~/.local/share/waterflow/server)",
    ),
    Setting(
        name="retention",
        keys=("retention", "server.retention"),
        environ=("WATERFLOW_RETENTION",),
        flag="--retention",
        kind=str,
        expects="a duration from 1d to 3650d, such as 30d",
        parse=values.retention,
        help="how long logs of runs that Temporal has forgotten stay (default 30d); the namespace's should be the same",
    ),
    Setting(
        name="keys_file",
        keys=("server.keys_file",),
        environ=("WATERFLOW_KEYS_FILE",),
        flag="--keys-file",
        kind=str,
        expects="a file",
        parse=values.path,
        help="key ring that seals what goes to Temporal; without one, secrets are refused",
    ),
    Setting(
        name="secrets_allow",
        keys=("secrets.allow",),
        environ=("WATERFLOW_SECRETS_ALLOW",),
        flag="--secrets-allow",
        kind=str,
        expects="env:NAME, env:PREFIX*, file:/path, file:/directory/, vault:mount/path, vault:mount/*, with commas",
        parse=values.patterns,
        help="secrets that workflows may have the server read; none by default",
    ),
    Setting(
        name="vault.address",
        keys=("vault.address",),
        environ=("WATERFLOW_VAULT_ADDRESS", "VAULT_ADDR"),
        flag="--vault",
        kind=str,
        expects="an address such as https://vault:8200",
        parse=values.web_address,
        help="Vault that secrets are read from",
    ),
    Setting(
        name="vault.token_file",
        keys=("vault.token_file",),
        environ=("WATERFLOW_VAULT_TOKEN_FILE",),
        flag="--vault-token-file",
        kind=str,
        expects="a file",
        parse=values.path,
        help="file with the token for Vault, read each time",
    ),
    Setting(
        name="vault.role_id",
        keys=("vault.role_id",),
        environ=("WATERFLOW_VAULT_ROLE_ID",),
        flag="--vault-role-id",
        kind=str,
        help="role id of an AppRole of Vault",
    ),
    Setting(
        name="vault.secret_id_file",
        keys=("vault.secret_id_file",),
        environ=("WATERFLOW_VAULT_SECRET_ID_FILE",),
        flag="--vault-secret-id-file",
        kind=str,
        expects="a file",
        parse=values.path,
        help="file with the secret id of the AppRole",
    ),
    Setting(
        name="vault.namespace",
        keys=("vault.namespace",),
        environ=("WATERFLOW_VAULT_NAMESPACE", "VAULT_NAMESPACE"),
        flag="--vault-namespace",
        kind=str,
        help="namespace of Vault",
    ),
    Setting(
        name="vault.ca",
        keys=("vault.ca",),
        environ=("WATERFLOW_VAULT_CA", "VAULT_CACERT"),
        flag="--vault-ca",
        kind=str,
        expects="a file",
        parse=values.path,
        help="PEM file that Vault's certificate is checked against",
    ),
    Setting(
        name="groups_file",
        keys=("server.groups_file",),
        environ=("WATERFLOW_GROUPS_FILE",),
        flag="--groups-file",
        kind=str,
        expects="a file",
        parse=values.path,
        help="server-groups.yml that is applied at start, as `waterflow group apply` does it",
    ),
    Setting(
        name="auth_enabled",
        keys=("auth.enabled",),
        environ=("WATERFLOW_AUTH_ENABLED",),
        flag="--auth",
        kind=bool,
        expects="true or false",
        help="ask callers for API keys (default: where others than this machine may call)",
    ),
    Setting(
        name="admin_key_file",
        keys=("auth.admin_key_file",),
        environ=("WATERFLOW_ADMIN_KEY_FILE",),
        flag="--admin-key-file",
        kind=str,
        expects="a file",
        parse=values.path,
        help="file with a key that may do everything, to make the first one with (or WATERFLOW_ADMIN_KEY)",
    ),
    Setting(
        name="insecure_no_auth",
        keys=("server.insecure_no_auth",),
        environ=("WATERFLOW_INSECURE_NO_AUTH",),
        flag="--insecure-no-auth",
        kind=bool,
        expects="true or false",
        help="listen beyond this machine although nobody is asked for a key",
    ),
    Setting(
        name="history_events",
        keys=("temporal.history_events",),
        environ=("WATERFLOW_HISTORY_EVENTS",),
        flag="--history-events",
        kind=int,
        expects="a number from 20 to 40000",
        parse=values.events,
        help=f"events in a workflow's history above which it goes on in a new one (default {HISTORY_EVENTS})",
    ),
    Setting(
        name="logs.store",
        keys=("logs.store",),
        environ=("WATERFLOW_LOGS_STORE",),
        flag="--logs-store",
        kind=str,
        expects="files or s3",
        parse=values.store,
        help="where the logs of runs are kept: files (in data_dir) or s3 (default files)",
    ),
    Setting(
        name="logs.endpoint",
        keys=("logs.endpoint",),
        environ=("WATERFLOW_LOGS_ENDPOINT",),
        flag="--logs-endpoint",
        kind=str,
        expects="http(s)://host[:port]",
        parse=values.endpoint,
        help="address of the S3-compatible server (default that of Amazon in the region)",
    ),
    Setting(
        name="logs.bucket",
        keys=("logs.bucket",),
        environ=("WATERFLOW_LOGS_BUCKET",),
        flag="--logs-bucket",
        kind=str,
        expects=_NAME,
        parse=values.text,
        help="bucket for the logs; it has to exist",
    ),
    Setting(
        name="logs.prefix",
        keys=("logs.prefix",),
        environ=("WATERFLOW_LOGS_PREFIX",),
        flag="--logs-prefix",
        kind=str,
        expects=_NAME,
        parse=lambda value: values.text(value).strip("/") + "/",
        help="what the names of objects begin with (default waterflow/)",
    ),
    Setting(
        name="logs.region",
        keys=("logs.region",),
        environ=("WATERFLOW_LOGS_REGION", "AWS_REGION"),
        flag="--logs-region",
        kind=str,
        expects=_NAME,
        parse=values.text,
        help="region of the bucket (default us-east-1)",
    ),
    Setting(
        name="logs.credentials_file",
        keys=("logs.credentials_file",),
        environ=("WATERFLOW_LOGS_CREDENTIALS_FILE",),
        flag="--logs-credentials-file",
        kind=str,
        expects="a file",
        parse=values.path,
        help="keys of the bucket, as in ~/.aws/credentials (default AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)",
    ),
    Setting(
        name="tls.cert",
        keys=("tls.cert",),
        environ=("WATERFLOW_TLS_CERT",),
        flag="--tls-cert",
        kind=str,
        expects="a file",
        parse=values.path,
        help="PEM file with the certificate of the API; without one it speaks HTTP",
    ),
    Setting(
        name="tls.key",
        keys=("tls.key",),
        environ=("WATERFLOW_TLS_KEY",),
        flag="--tls-key",
        kind=str,
        expects="a file",
        parse=values.path,
        help="PEM file with its private key",
    ),
    Setting(
        name="tls.client_ca",
        keys=("tls.client_ca",),
        environ=("WATERFLOW_TLS_CLIENT_CA",),
        flag="--tls-client-ca",
        kind=str,
        expects="a file",
        parse=values.path,
        help="PEM file with the authority whose certificates clients have to show (mTLS)",
    ),
)

KEYS = {key: setting for setting in TABLE for key in setting.keys}
"""By the spellings of the file."""

SECTIONS = frozenset(key.partition(".")[0] for key in KEYS)
"""Mappings at the top of the file."""
