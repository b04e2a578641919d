"""``/keys``: API keys."""

from __future__ import annotations

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from waterflow_sdk.wire import KeyCreate, KeyCreated, KeyInfo

from ..auth import Caller
from ._body import JsonRequest
from ._openapi import problems
from ._scopes import ADMIN
from ._services import Services


class KeyController(Controller):
    """API keys."""

    path = "/keys"
    tags = ("keys",)
    opt = ADMIN
    request_class = JsonRequest

    @get("/", responses=problems(503))
    async def list_keys(self, services: NamedDependency[Services]) -> list[KeyInfo]:
        """All keys, oldest first, without their secrets; those that ended stay for 30 days."""
        return list(await services.keys.list())

    @post("/", responses=problems(400, 422, 503))
    async def create_key(
        self, data: JSONBody[KeyCreate], services: NamedDependency[Services], caller: NamedDependency[Caller]
    ) -> KeyCreated:
        """A new key. The answer holds it; nothing else ever does."""
        return await services.keys.create(data, caller.name)

    @delete("/{key:str}", status_code=200, responses=problems(404, 409, 503))
    async def revoke_key(self, key: FromPath[str], services: NamedDependency[Services]) -> KeyInfo:
        """Take a key out of use, by its id or its name: here at once, on other servers within two seconds."""
        return await services.keys.revoke(key)
