"""From a command to the same command as another user: no value of the environment is among the arguments."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from waterflow_agent._confinement import Identity, Way
from waterflow_agent._confinement._argv import as_user, become
from waterflow_sdk.node import InvalidInput

ENV = {"PATH": "/opt/bin:/bin", "PASSWORD": "correct-horse", "INPUT_A B": "x", "odd,name": "y"}
CWD = Path("/work/run")


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", {"sudo": "/usr/bin/sudo", "setpriv": "/usr/bin/setpriv"}.get)


def command(way: Way, *argv: str) -> list[str]:
    return as_user(argv, ENV, CWD, identity(way))


def identity(way: Way) -> Identity:
    return Identity(name="deploy", uid=1234, gid=1235, home="/srv", shell="/bin/sh", way=way)


def test_by_sudo() -> None:
    assert command(Way.SUDO, "bash", "-e", "script.sh") == [
        *("/usr/bin/sudo", "-n", "-u", "deploy", "--preserve-env=INPUT_A B,PASSWORD,PATH", "--"),
        *("/usr/bin/env", "-C", "/work/run", "PATH=/opt/bin:/bin", "bash", "-e", "script.sh"),
    ]


def test_by_root() -> None:
    assert command(Way.ROOT, "make") == [
        *("/usr/bin/setpriv", "--reuid=deploy", "--regid=1235", "--init-groups", "--"),
        *("/usr/bin/env", "-C", "/work/run", "PATH=/opt/bin:/bin", "make"),
    ]


def test_as_itself() -> None:
    assert command(Way.SELF, "make") == ["make"]


def test_without_variables() -> None:
    assert become(identity(Way.SUDO)) == ["/usr/bin/sudo", "-n", "-u", "deploy", "--"]


def test_a_program_that_looks_like_a_variable() -> None:
    with pytest.raises(InvalidInput) as raised:
        command(Way.SUDO, "A=b")
    assert raised.value.message == "program 'A=b' cannot run as another user: its name holds '='"
