"""Nodes that need no agent: the interpreter runs them itself, durably (``sleep``, ``wait``, ``approval``,
``workflow/run`` and the like).
"""

from ._control import CONTROL_NODES_RUN

__all__ = ["CONTROL_NODES_RUN"]
