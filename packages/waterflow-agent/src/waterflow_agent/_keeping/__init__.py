"""The agent's end of the keeper (:mod:`waterflow_agent._keeper`): steps' processes that survive the agent."""

from ._attempt import Context, KeptAttempt
from ._keeping import Keeping

__all__ = ["Context", "Keeping", "KeptAttempt"]
