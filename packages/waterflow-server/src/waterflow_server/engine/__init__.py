"""The interpreter: fixed, replay-safe workflow code that runs plans. Never imports the web side of the server."""

from ._support import unsupported
from ._wire import Event

__all__ = ["Event", "unsupported"]
