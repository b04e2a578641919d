"""Step logs: masked records in a durable spool, shipped from there to the server."""

from ._attempt_log import AttemptLog
from ._open import Logs

__all__ = ["AttemptLog", "Logs"]
