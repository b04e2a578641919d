"""What a run would do, told before it is started: placement, plans and dry runs."""

from ._called import check_called
from ._demands import demands_of
from ._forecast import NotKnown
from ._members import members_of
from ._outlook import Given, Outlook
from ._placement import check_placement
from ._view import view_of

__all__ = ["Given", "NotKnown", "Outlook", "check_called", "check_placement", "demands_of", "members_of", "view_of"]
