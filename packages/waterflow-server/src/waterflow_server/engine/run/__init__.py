"""``WaterflowRun``, one run from the plan to its result: the graph of its jobs, each job's condition and instances,
the contexts that all of its expressions see, and its concurrency group.
"""

from ._contexts import run_contexts
from ._lock import run_lock

__all__ = ["run_contexts", "run_lock"]
