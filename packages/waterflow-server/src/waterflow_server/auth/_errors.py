"""Why somebody is not let in, and what can be wrong with a change of keys. No text ever holds a key."""

from __future__ import annotations

from .._errors import ServerError


class AccessDenied(ServerError):
    """A request that its caller may not make.

    ``challenge`` is what the answer says in ``WWW-Authenticate`` after the scheme (RFC 6750, section 3).
    """

    challenge = ""


class KeyMissing(AccessDenied):
    """No key came with the request."""

    code = "unauthorized"
    # RFC 6750, section 3.1: without credentials the challenge should name no error.


class KeyRefused(AccessDenied):
    """A key that is none, is not known, has expired or was revoked."""

    code = "unauthorized"
    challenge = 'error="invalid_token"'


class ScopeMissing(AccessDenied):
    """The key is known, but not for this."""

    code = "forbidden"

    def __init__(self, message: str, scope: str) -> None:
        super().__init__(message, {"scope": scope})
        self.challenge = f'error="insufficient_scope", scope="{scope}"'


class KeysUnread(ServerError):
    """The server has started, but could not read the keys from Temporal yet."""

    code = "keys-unavailable"


class InvalidKey(ServerError):
    """A new key that cannot be; ``details["errors"]`` list all that is wrong, with paths."""

    code = "invalid-key"


class KeyNotFound(ServerError):
    """There is no key of that id or name."""

    code = "key-not-found"


class KeyAmbiguous(ServerError):
    """Several living keys have the name; ``details["ids"]`` are theirs."""

    code = "key-ambiguous"
