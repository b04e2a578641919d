"""Groups of agents: what the server keeps of them, who is in them, and telling the agents."""

from ._activities import group_activities
from ._errors import GroupConflict, GroupExists, GroupIncluded, GroupNotFound, InvalidGroups
from ._membership import Membership, grouped
from ._reconcile import GroupsWorkflow
from ._service import Groups
from ._startup import read_groups_file, start_groups
from ._store import TableStore
from ._table import GroupTable

__all__ = [
    "GroupConflict",
    "GroupExists",
    "GroupIncluded",
    "GroupNotFound",
    "GroupTable",
    "Groups",
    "GroupsWorkflow",
    "InvalidGroups",
    "Membership",
    "TableStore",
    "group_activities",
    "grouped",
    "read_groups_file",
    "start_groups",
]
