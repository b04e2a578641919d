"""From the agent's settings to what it may read."""

from __future__ import annotations

import os
from collections.abc import Mapping

from waterflow_sdk.secrets import AllowList, SecretSources, VaultReader, VaultSettings

from .._settings import AgentSettings


def secret_sources(settings: AgentSettings, name: str, environ: Mapping[str, str] = os.environ) -> SecretSources:
    """What an agent with these settings may read; ``name`` is the agent's, for errors."""
    vault = None
    if settings.vault_address:
        vault = VaultReader(
            VaultSettings(
                address=settings.vault_address,
                token=settings.vault_token,
                token_file=settings.vault_token_file,
                role_id=settings.vault_role_id,
                secret_id_file=settings.vault_secret_id_file,
                namespace=settings.vault_namespace,
                ca=settings.vault_ca,
            )
        )
    return SecretSources(f"agent {name}", AllowList(settings.secrets_allow), vault=vault, environ=environ)
