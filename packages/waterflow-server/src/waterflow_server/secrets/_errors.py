"""Why a run cannot be given its secrets."""

from __future__ import annotations

from .._errors import ServerError


class SecretsUnprotected(ServerError):
    """There are secrets, but nothing would encrypt them on their way."""

    code = "secrets-unprotected"


class SecretsUnavailable(ServerError):
    """The place of a secret cannot be asked right now."""

    code = "secret-unavailable"
