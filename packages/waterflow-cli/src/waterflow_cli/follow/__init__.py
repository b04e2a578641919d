"""Following a run: its log and its state, shown live on a terminal or as plain lines, to its end."""

from ._follow import follow, show_log
from ._interrupt import Signals
from ._view import RunView, make_view

__all__ = ["RunView", "Signals", "follow", "make_view", "show_log"]
