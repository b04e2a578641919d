"""What is put around the processes of a step: another user, and how such processes are found and ended; a limit of
memory, and how it is known that it was hit.
"""

from ._memory import explained, limit_of
from ._reach import Reach, reach_as
from ._removal import remove_of_others
from ._step import StepConfinement
from ._users import OWN, Identity, Users, Way

__all__ = [
    "OWN",
    "Identity",
    "Reach",
    "StepConfinement",
    "Users",
    "Way",
    "explained",
    "limit_of",
    "reach_as",
    "remove_of_others",
]
