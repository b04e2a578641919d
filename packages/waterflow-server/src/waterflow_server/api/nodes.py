"""``/nodes``: the catalog."""

from __future__ import annotations

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from waterflow_sdk.wire import NodeEntry

from ._openapi import problems
from ._scopes import READ
from ._services import Services


class NodeController(Controller):
    """Nodes that steps can use."""

    path = "/nodes"
    tags = ("nodes",)
    opt = READ

    @get("/", responses=problems(503))
    async def list_nodes(self, services: NamedDependency[Services]) -> list[NodeEntry]:
        """All nodes, by name: manifest, and the agents that have it."""
        return list(await services.catalog.nodes())

    @get("/{name:path}", responses=problems(404, 503))
    async def get_node(self, name: FromPath[str], services: NamedDependency[Services]) -> NodeEntry:
        """One node; its name may hold slashes."""
        return await services.catalog.node(name.lstrip("/"))
