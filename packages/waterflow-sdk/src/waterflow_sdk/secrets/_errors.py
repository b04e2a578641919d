"""Why a secret cannot be had. No message holds a value."""

from __future__ import annotations


class SecretError(Exception):
    """A secret cannot be had. ``code`` is stable; ``retryable`` says whether another attempt may be luckier.

    ├── SecretReferenceInvalid  the reference is not one, or its segment was changed by an expression
    ├── SecretNotAllowed        whoever reads it is not allowed to, by its own settings
    ├── SecretMissing           there is no such variable, file, path or field, or it is empty
    └── SecretUnavailable       Vault cannot be asked, or does not let us in
    """

    code = "secret"
    retryable = False


class SecretReferenceInvalid(SecretError):
    """The reference is not one, or its segment was changed by an expression."""

    code = "secret-reference"


class SecretNotAllowed(SecretError):
    """Whoever reads it is not allowed to, by its own settings."""

    code = "secret-not-allowed"


class SecretMissing(SecretError):
    """There is no such variable, file, path or field, or it is empty."""

    code = "secret-missing"


class SecretUnavailable(SecretError):
    """Vault cannot be asked, or does not let us in."""

    code = "secret-unavailable"
    retryable = True
