"""Settings of the agent: flags, environment, ``agent.yaml``, defaults."""

from ._model import AgentSettings

__all__ = ["AgentSettings"]
