"""What the integration tests share: components that a machine may lack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

RequireComponent = Callable[[str, str], Path]

_TRUE = frozenset({"1", "true", "yes", "on"})


def in_ci() -> bool:
    """Whether this is CI, by the variable that CI services set: `CI=true`."""
    return os.environ.get("CI", "").lower() in _TRUE


def missing(name: str, how: str) -> NoReturn:
    """Ends the test for want of a component: a failure in CI, where nothing may go untested, elsewhere a skip."""
    text = f"{name} is not on this machine. {how}"
    if in_ci():
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


@pytest.fixture(scope="session")
def require_component() -> RequireComponent:
    """`require_component(name, how)`: the path of the program `name`, or the end of the test.

    `how` is a sentence that tells how to install it, such as `Install Debian's package openssh-server.`
    """

    def require(name: str, how: str) -> Path:
        found = shutil.which(name)
        if found is None:
            missing(name, how)
        return Path(found)

    return require


@pytest.fixture(scope="session")
def temporal_binary(require_component: RequireComponent) -> Path:
    """The Temporal CLI: `WATERFLOW_TEMPORAL_BINARY`, which `make test` sets, else `temporal` on PATH."""
    named = os.environ.get("WATERFLOW_TEMPORAL_BINARY")
    if named:
        return Path(named)
    return require_component("temporal", "Run `make temporal` and set WATERFLOW_TEMPORAL_BINARY to what it prints.")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the clone."""
    return Path(__file__).resolve().parents[1]
