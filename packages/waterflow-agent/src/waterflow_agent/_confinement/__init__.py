"""Steps that run as another user: who the agent may become, and how it starts, finds and ends such processes."""

from ._reach import Reach, reach_as
from ._removal import remove_of_others
from ._step import StepConfinement
from ._users import Identity, Users, Way

__all__ = ["Identity", "Reach", "StepConfinement", "Users", "Way", "reach_as", "remove_of_others"]
