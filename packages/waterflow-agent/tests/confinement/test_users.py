"""Whom the agent may become, and what it says where it may not."""

from __future__ import annotations

import os
import pwd
import shutil

import pytest

from waterflow_agent._confinement import Identity, Users, Way
from waterflow_agent._confinement._users import own_name
from waterflow_sdk.node import NodeError

OWN = pwd.getpwuid(os.geteuid()).pw_name


def identity(way: Way) -> Identity:
    return Identity(name="deploy", uid=1234, gid=1235, home="/srv/deploy", shell="/bin/sh", way=way)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The programs that a host has, and where."""
    there = {"sudo": "/usr/bin/sudo", "setpriv": "/usr/bin/setpriv"}
    monkeypatch.setattr(shutil, "which", there.get)
    return there


class TestAllowed:
    def test_its_own_user_always_is(self) -> None:
        assert Users().identity(OWN).way is Way.SELF

    def test_nobody_else_by_default(self) -> None:
        with pytest.raises(NodeError) as raised:
            Users().identity("nobody")
        assert (raised.value.code, raised.value.message) == (
            "run-as-not-allowed",
            "this agent may not run steps as 'nobody': its setting `nodes.run_as` lists no user; add 'nobody' there "
            "(agent.yaml, `nodes: {run_as: [nobody]}`) and restart the agent",
        )

    def test_others_only_as_listed(self) -> None:
        with pytest.raises(NodeError) as raised:
            Users(["deploy", "app"]).identity("#0")
        assert "lists only deploy, app; add '#0' there" in raised.value.message

    def test_a_user_that_is_not_there(self) -> None:
        with pytest.raises(NodeError) as raised:
            Users(["no-such-user"]).identity("no-such-user")
        assert (raised.value.code, raised.value.message) == (
            "run-as-unknown-user",
            "there is no user 'no-such-user' on this host; create it, or correct `run-as`",
        )


class TestWay:
    @pytest.mark.parametrize(("uid", "way"), [(0, Way.ROOT), (54321, Way.SUDO)])
    @pytest.mark.usefixtures("programs")
    def test_by_root_or_by_sudo(self, monkeypatch: pytest.MonkeyPatch, uid: int, way: Way) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: uid)
        assert Users(["nobody"]).identity("nobody").way is way

    @pytest.mark.parametrize(
        ("uid", "message"),
        [
            (0, "setpriv, by which the agent runs steps as 'nobody', was not found: install util-linux"),
            (
                54321,
                "sudo was not found on this host, and the agent runs as '54321': install sudo, or run the agent as "
                "root, so that it can run steps as 'nobody'",
            ),
        ],
    )
    def test_there_is_none(
        self, monkeypatch: pytest.MonkeyPatch, programs: dict[str, str], uid: int, message: str
    ) -> None:
        programs.clear()
        monkeypatch.setattr(os, "geteuid", lambda: uid)
        with pytest.raises(NodeError) as raised:
            Users(["nobody"]).identity("nobody")
        assert (raised.value.code, raised.value.message) == ("run-as-no-sudo", message)


class TestCapabilities:
    @pytest.mark.usefixtures("programs")
    def test_its_own_user_and_those_that_are_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("daemon").pw_uid)
        assert own_name() == "daemon"
        assert Users(["nobody", "no-such-user"]).capabilities() == {"run-as/daemon": "self", "run-as/nobody": "sudo"}

    def test_without_sudo_only_its_own(self, monkeypatch: pytest.MonkeyPatch, programs: dict[str, str]) -> None:
        programs.clear()
        monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("daemon").pw_uid)
        assert Users(["nobody"]).capabilities() == {"run-as/daemon": "self"}


class TestEnvironment:
    def test_is_that_users_but_for_what_is_the_agents_own(self) -> None:
        environ = {"PATH": "/bin", "HOME": "/root", "USER": "root", "XDG_RUNTIME_DIR": "/run/1", "SSH_AUTH_SOCK": "/x"}
        assert identity(Way.SUDO).environment(environ) == {
            "PATH": "/bin",
            "HOME": "/srv/deploy",
            "USER": "deploy",
            "LOGNAME": "deploy",
            "SHELL": "/bin/sh",
        }
