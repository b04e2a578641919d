"""Plans, dry runs and edits as people read them."""

from ._edit import show_report
from ._plan import show_plan
from ._steps import show_steps

__all__ = ["show_plan", "show_report", "show_steps"]
