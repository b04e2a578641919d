"""From the server's settings to what it may read."""

from __future__ import annotations

import os
from collections.abc import Mapping

from waterflow_sdk.codec import KeyFile, PayloadCodec
from waterflow_sdk.secrets import AllowList, SecretSources, VaultReader, VaultSettings

from ..settings import Settings
from ._references import SecretReferences


def secret_references(
    settings: Settings, keys: KeyFile | None, environ: Mapping[str, str] = os.environ
) -> SecretReferences:
    """References as a server with these settings completes them."""
    vault = None
    if settings.vault.address:
        vault = VaultReader(
            VaultSettings(
                address=settings.vault.address,
                token=environ.get("WATERFLOW_VAULT_TOKEN") or environ.get("VAULT_TOKEN"),
                token_file=settings.vault.token_file,
                role_id=settings.vault.role_id,
                secret_id_file=settings.vault.secret_id_file,
                namespace=settings.vault.namespace,
                ca=settings.vault.ca,
            )
        )
    sources = SecretSources("the server", AllowList(settings.secrets_allow), vault=vault, environ=environ)
    return SecretReferences(PayloadCodec(keys), sources)
