"""Before the first job of a run: whether the agents that may get its jobs can read the secrets that these need.

Agents poll, so nobody but a workflow can ask one. The inquiry is a child of its run: hundreds of answers are in its
history and not in the run's.
"""

from ._wire import (
    DEMANDS_ACTIVITY,
    INQUIRY_WORKFLOW,
    Demand,
    Demands,
    Finding,
    Lack,
    inquiry_workflow_id,
)
from ._workflow import WaterflowInquiry

__all__ = [
    "DEMANDS_ACTIVITY",
    "INQUIRY_WORKFLOW",
    "Demand",
    "Demands",
    "Finding",
    "Lack",
    "WaterflowInquiry",
    "inquiry_workflow_id",
]
