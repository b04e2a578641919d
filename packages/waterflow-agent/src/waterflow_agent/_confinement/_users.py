"""The users that this agent may run steps as, and the way to each."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from waterflow_sdk.node import NodeError, NotFoundError, PermissionDenied
from waterflow_sdk.wire import run_as_capability


class Way(StrEnum):
    """How a process gets to belong to a user."""

    SELF = "self"
    ROOT = "root"
    SUDO = "sudo"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A user of this host, and how the agent becomes it."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    way: Way

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The agent's environment without what is only its own user's: its home, its session, its agents of keys."""
        if self.way is Way.SELF:
            return dict(environ)
        kept = {
            name: value
            for name, value in environ.items()
            if name not in _PERSONAL and not name.startswith(("XDG_", "SUDO_"))
        }
        return kept | {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "SHELL": self.shell}


OWN = Identity(name="", uid=-1, gid=-1, home="", shell="", way=Way.SELF)
"""The agent's own user, where nobody has to know who that is."""

_PERSONAL = frozenset({"DBUS_SESSION_BUS_ADDRESS", "MAIL", "OLDPWD", "PWD", "SSH_AGENT_PID", "SSH_AUTH_SOCK"})


class Users:
    """The agent's own user, and those of the setting ``nodes.run_as``."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._allowed = tuple(allowed)

    def capabilities(self) -> dict[str, str]:
        """What the server may count on: the users that are there and that a way leads to."""
        found: dict[str, str] = {}
        for name in (own_name(), *self._allowed):
            user = _lookup(name)
            way = _way(user) if user else None
            if way:
                found[run_as_capability(name)] = way.value
        return found

    def identity(self, name: str) -> Identity:
        """The user with that name. Raises :class:`NodeError` with what is missing, and what to do about it."""
        if name not in self._allowed and name != own_name():
            listed = f"only {', '.join(self._allowed)}" if self._allowed else "no user"
            raise PermissionDenied(
                f"this agent may not run steps as {name!r}: its setting `nodes.run_as` lists {listed}; "
                f"add {name!r} there (agent.yaml, `nodes: {{run_as: [{name}]}}`) and restart the agent",
                code="run-as-not-allowed",
            )
        user = _lookup(name)
        if user is None:
            message = f"there is no user {name!r} on this host; create it, or correct `run-as`"
            raise NotFoundError(message, code="run-as-unknown-user")
        way = _way(user)
        if way is None:
            raise _no_way(name)
        return Identity(
            name=name,
            uid=user.pw_uid,
            gid=user.pw_gid,
            home=user.pw_dir,
            shell=user.pw_shell or "/bin/sh",
            way=way,
        )


def own_name() -> str:
    """The agent's own user; its number where the host has no name for it."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _lookup(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _way(user: pwd.struct_passwd) -> Way | None:
    if user.pw_uid == os.geteuid():
        return Way.SELF
    if os.geteuid() == 0:
        return Way.ROOT if shutil.which("setpriv") else None
    return Way.SUDO if shutil.which("sudo") else None


def _no_way(name: str) -> NodeError:
    if os.geteuid() == 0:
        message = f"setpriv, by which the agent runs steps as {name!r}, was not found: install util-linux"
    else:
        message = (
            f"sudo was not found on this host, and the agent runs as {own_name()!r}: install sudo, "
            f"or run the agent as root, so that it can run steps as {name!r}"
        )
    return NotFoundError(message, code="run-as-no-sudo")
