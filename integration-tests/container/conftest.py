"""The image, built once, and agents in containers of it. Their network is the host's, so that loopback is enough."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site

from ._base import base_tar
from ._compose import read
from ._contained import Contained
from ._engine import Engine, own_engine
from ._image import Image, build

_BASE = "waterflow-test-base"


@pytest.fixture(scope="session")
def engine(require_component: Callable[[str, str], Path]) -> Iterator[Engine]:
    """A real one."""
    require_component("docker", "Install Debian's package docker.io.")
    there = Engine({})
    if there.answers():
        yield there
        return
    if os.geteuid() != 0:
        require_component("An engine of Docker that answers", "Start one, or run the tests as root.")
    require_component("dockerd", "Install Debian's package docker.io.")
    with own_engine() as own:
        yield own


@pytest.fixture(scope="session")
def base(engine: Engine, require_component: Callable[[str, str], Path]) -> Iterator[str]:
    """The name of an image with Debian and its Python."""
    require_component("debootstrap", "Install Debian's package debootstrap.")
    engine.run("import", base_tar(), _BASE)
    yield _BASE
    engine.run("image", "rm", "--force", _BASE)


@pytest.fixture(scope="session")
def image(engine: Engine, base: str, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image of the agent."""
    made = build(engine, base, repository / "deployments/container", tmp_path_factory.mktemp("context"))
    yield made
    engine.run("image", "rm", "--force", made.name)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def contained(
    image: Image, tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path, repository: Path
) -> AsyncIterator[Contained]:
    """A site whose agents are in containers."""
    service = read(repository / "deployments/container/compose.yaml")
    async with Site.create(tmp_path_factory.mktemp("site")) as site:
        made = Contained(image, site, tmp_path_factory.mktemp("containers"), service)
        try:
            yield made
        finally:
            await asyncio.to_thread(made.end)
