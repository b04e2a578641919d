"""``/definitions``: stored workflows, version by version."""

from __future__ import annotations

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from waterflow_sdk.wire import (
    ActivateRequest,
    DefinitionDiff,
    DefinitionInfo,
    DefinitionPut,
    DefinitionRunRequest,
    DefinitionText,
    DefinitionVersion,
    SubmitResponse,
)

from ..auth import Caller
from ._body import MAX_BODY_BYTES, JsonRequest, WorkflowRequest, check_size
from ._openapi import problems
from ._scopes import READ, RUN
from ._services import Services


class DefinitionController(Controller):
    """Stored workflows. Schedules and webhooks act on these only."""

    path = "/definitions"
    tags = ("definitions",)
    opt = READ

    @get("/", responses=problems(503))
    async def list_definitions(self, services: NamedDependency[Services]) -> list[DefinitionInfo]:
        """All definitions, by name."""
        return list(await services.definitions.list())

    @put(
        "/{name:str}",
        request_class=WorkflowRequest,
        request_max_body_size=MAX_BODY_BYTES,
        opt={**RUN, "query_parameters": ("filename",)},
        responses=problems(400, 409, 413, 415, 422, 503),
    )
    async def put_definition(
        self,
        name: FromPath[str],
        data: JSONBody[DefinitionPut],
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
    ) -> Response[DefinitionInfo]:
        """Keep a workflow file, as JSON or YAML. 201: a new version, which is active now; 200: nothing has changed."""
        check_size(data.yaml)
        answer = await services.definitions.put(name, data, caller.name)
        return Response(answer, status_code=201 if answer.created else 200)

    @get("/{name:str}", responses=problems(404, 503))
    async def get_definition(self, name: FromPath[str], services: NamedDependency[Services]) -> DefinitionInfo:
        """One definition."""
        return await services.definitions.get(name)

    @delete("/{name:str}", opt=RUN, responses=problems(404, 409, 503))
    async def delete_definition(
        self, name: FromPath[str], services: NamedDependency[Services], force: FromQuery[bool] = False
    ) -> None:
        """Forget a definition with its versions and its own schedules. 409: it is in use (`force`); runs go on."""
        await services.definitions.delete(name, force=force)

    @get("/{name:str}/versions", responses=problems(404, 503))
    async def list_versions(self, name: FromPath[str], services: NamedDependency[Services]) -> list[DefinitionVersion]:
        """The versions that are kept, newest first."""
        return list(await services.definitions.versions(name))

    @get("/{name:str}/versions/{number:int}", responses=problems(404, 503))
    async def get_version(
        self, name: FromPath[str], number: FromPath[int], services: NamedDependency[Services]
    ) -> DefinitionText:
        """One version with its text."""
        return await services.definitions.text(name, number)

    @get("/{name:str}/diff", responses=problems(400, 404, 503))
    async def diff(
        self,
        name: FromPath[str],
        services: NamedDependency[Services],
        old: FromQuery[int],
        new: FromQuery[int | None] = None,
    ) -> DefinitionDiff:
        """What changed from version `old` to version `new` (the active one)."""
        return await services.definitions.diff(name, old, new)

    @post(
        "/{name:str}/activate", opt=RUN, status_code=200, request_class=JsonRequest, responses=problems(400, 404, 503)
    )
    async def activate(
        self, name: FromPath[str], data: JSONBody[ActivateRequest], services: NamedDependency[Services]
    ) -> DefinitionInfo:
        """Use a version from now on."""
        return await services.definitions.activate(name, data.version)

    @post("/{name:str}/rollback", opt=RUN, status_code=200, responses=problems(404, 503))
    async def roll_back(self, name: FromPath[str], services: NamedDependency[Services]) -> DefinitionInfo:
        """Use the version before the active one."""
        return await services.definitions.roll_back(name)

    @post("/{name:str}/enable", opt=RUN, status_code=200, responses=problems(404, 503))
    async def enable(self, name: FromPath[str], services: NamedDependency[Services]) -> DefinitionInfo:
        """Let it run, and its schedules fire."""
        return await services.definitions.enable(name, enabled=True)

    @post("/{name:str}/disable", opt=RUN, status_code=200, responses=problems(404, 503))
    async def disable(self, name: FromPath[str], services: NamedDependency[Services]) -> DefinitionInfo:
        """Let nothing start it; what runs goes on."""
        return await services.definitions.enable(name, enabled=False)

    @post(
        "/{name:str}/run",
        opt=RUN,
        status_code=202,
        request_class=JsonRequest,
        request_max_body_size=MAX_BODY_BYTES,
        responses=problems(400, 404, 409, 413, 422, 503),
    )
    async def run(
        self,
        name: FromPath[str],
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
        data: JSONBody[DefinitionRunRequest | None] = None,
    ) -> Response[SubmitResponse]:
        """Start a run of the active version, or of another one."""
        answer = await services.definitions.run(name, data or DefinitionRunRequest(), caller.name)
        return Response(answer, headers={"Location": answer.url})
