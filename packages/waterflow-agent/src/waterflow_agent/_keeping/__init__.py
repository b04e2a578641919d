"""The agent's end of the keeper (:mod:`waterflow_agent._keeper`): steps' processes that survive the agent."""

from ._attempt import Context, KeptAttempt
from ._keeping import Keeping
from ._link import Held, HeldProcess

__all__ = ["Context", "Held", "HeldProcess", "Keeping", "KeptAttempt"]
