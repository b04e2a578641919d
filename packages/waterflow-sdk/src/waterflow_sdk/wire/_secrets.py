"""What an agent says when it is asked, before a run starts, whether it can read some secrets."""

from __future__ import annotations

from ._base import Wire


class SecretAnswer(Wire, frozen=True, kw_only=True):
    """One secret as one agent finds it, never with its value. An empty ``code`` means that it can be read; else the
    code and message of the error that a step would get, and whether another try may be luckier.
    """

    code: str = ""
    message: str = ""
    retryable: bool = False
