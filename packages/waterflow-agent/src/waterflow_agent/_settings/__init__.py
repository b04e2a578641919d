"""Settings of the agent: flags, then environment, then ``agent.yaml``, then defaults."""

from ._load import Loaded, load
from ._model import AgentSettings
from ._table import SETTINGS

__all__ = ["SETTINGS", "AgentSettings", "Loaded", "load"]
