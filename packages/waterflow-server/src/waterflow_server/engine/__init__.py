"""The interpreter: fixed, replay-safe workflow code that runs plans. Never imports the web side of the server."""

from ._support import unsupported

__all__ = ["unsupported"]
