"""What can be wrong with a change of groups."""

from __future__ import annotations

from .._errors import ServerError


class InvalidGroups(ServerError):
    """A group, or a file of them, that cannot be; ``details["errors"]`` list all that is wrong, with places."""

    code = "invalid-groups"


class GroupNotFound(ServerError):
    """The server keeps no group of that name."""

    code = "group-not-found"


class GroupExists(ServerError):
    """A new group has the name of one that is there."""

    code = "group-exists"


class GroupConflict(ServerError):
    """The group was changed in the meantime; ``details["version"]`` is the one it is at."""

    code = "group-conflict"


class GroupIncluded(ServerError):
    """Other groups include the one that is to be deleted."""

    code = "group-included"
