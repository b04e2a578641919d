"""``/groups``: groups of agents."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Response, delete, get, post, put
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from waterflow_sdk.wire import (
    GroupMember,
    GroupPut,
    GroupsApplied,
    GroupsApply,
    GroupSpec,
    GroupState,
    MembersChange,
)

from ._body import JSON, YAML, JsonRequest
from ._openapi import problems
from ._problems import ApiError
from ._scopes import ADMIN, READ
from ._services import Services

MAX_BODY_BYTES = 2 * 1024 * 1024

FILE_PARAMETERS = ("dry_run", "filename", "prune")
"""Query parameters that go with a YAML body."""

_SWITCH = {"true": True, "1": True, "": True, "false": False, "0": False}

Version = Annotated[int | None, QueryParameter(ge=1, description="Only if the group is at this version.")]


class GroupFileRequest(JsonRequest):
    """A ``server-groups.yml``: as JSON (``GroupsApply``), or the YAML itself with everything else in the query."""

    async def json(self) -> Any:
        """The body in its JSON form."""
        if self._check((*JSON, *YAML)) not in YAML:
            return await self._parse()
        try:
            text = (await self.body()).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ApiError("bad-request", f"the file is not UTF-8 text: byte {error.start} cannot be read") from error
        given: dict[str, Any] = {"yaml": text}
        if "filename" in self.query_params:
            given["filename"] = self.query_params["filename"]
        return given | {name: self._switch(name) for name in ("dry_run", "prune") if name in self.query_params}

    def _switch(self, name: str) -> bool:
        value = self.query_params[name].lower()
        if value not in _SWITCH:
            raise ApiError("invalid-query", f"{name}={value[:80]!r} is neither `true` nor `false`")
        return _SWITCH[value]


class GroupController(Controller):
    """Groups of agents."""

    path = "/groups"
    tags = ("groups",)
    opt = READ
    request_class = JsonRequest
    request_max_body_size = MAX_BODY_BYTES

    @get("/", responses=problems(503))
    async def list_groups(self, services: NamedDependency[Services]) -> list[GroupState]:
        """All groups, by name, without members: what the server keeps, what agents name, and `all-servers`."""
        return list(await services.groups.list())

    @post(
        "/",
        opt=ADMIN,
        response_headers=[
            ResponseHeader(name="Location", documentation_only=True, description="Address of the group.")
        ],
        responses=problems(400, 409, 422, 503),
    )
    async def create_group(
        self, data: JSONBody[GroupSpec], services: NamedDependency[Services]
    ) -> Response[GroupState]:
        """A new group. 409: there is one of that name."""
        state = await services.groups.create(data)
        return Response(state, headers={"Location": f"/v1/groups/{state.name}"})

    @post(
        "/apply",
        status_code=200,
        request_class=GroupFileRequest,
        opt={**ADMIN, "query_parameters": FILE_PARAMETERS},
        responses=problems(400, 409, 415, 422, 503),
    )
    async def apply_groups(self, data: JSONBody[GroupsApply], services: NamedDependency[Services]) -> GroupsApplied:
        """All groups of a `server-groups.yml` at once, or none; also as `application/yaml`."""
        return await services.groups.apply(data)

    @get("/{name:str}", responses=problems(404, 503))
    async def get_group(self, name: FromPath[str], services: NamedDependency[Services]) -> GroupState:
        """One group with its members."""
        return await services.groups.get(name)

    @put("/{name:str}", opt=ADMIN, responses=problems(400, 409, 422, 503))
    async def put_group(
        self, name: FromPath[str], data: JSONBody[GroupPut], services: NamedDependency[Services]
    ) -> GroupState:
        """The whole group anew; with `version`, only on top of that one (0: a new group)."""
        return await services.groups.put(name, data)

    @delete("/{name:str}", opt=ADMIN, responses=problems(404, 409, 503))
    async def delete_group(
        self, name: FromPath[str], services: NamedDependency[Services], version: Version = None
    ) -> None:
        """Forget a group. 409: other groups include it, or it is at another version."""
        await services.groups.delete(name, version)

    @get("/{name:str}/members", responses=problems(404, 503))
    async def list_members(self, name: FromPath[str], services: NamedDependency[Services]) -> list[GroupMember]:
        """The members, by name, and why each is one."""
        return (await services.groups.get(name)).members

    @post("/{name:str}/members", opt=ADMIN, status_code=200, responses=problems(400, 404, 409, 422, 503))
    async def change_members(
        self, name: FromPath[str], data: JSONBody[MembersChange], services: NamedDependency[Services]
    ) -> GroupState:
        """List agents in the group, or no longer. Members by tags, by their own word or by includes are not touched."""
        return await services.groups.change_members(name, data)
