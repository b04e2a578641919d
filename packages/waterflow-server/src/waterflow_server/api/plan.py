"""``/plan``: what a run of a file would do; and ``/workflows/{id}/plan``, what a run would do now."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from waterflow_sdk.wire import PlanRequest, PlanView

from ..auth import Caller
from ._body import MAX_BODY_BYTES, JsonRequest, check_size
from ._openapi import problems
from ._scopes import READ, RUN
from ._services import Services


class PlanController(Controller):
    """Plans and dry runs. Nothing is started."""

    tags = ("workflows",)

    @post(
        "/plan",
        opt=RUN,
        status_code=200,
        request_class=JsonRequest,
        request_max_body_size=MAX_BODY_BYTES,
        responses=problems(400, 404, 409, 413, 415, 422, 503),
    )
    async def plan(
        self, data: JSONBody[PlanRequest], services: NamedDependency[Services], caller: NamedDependency[Caller]
    ) -> PlanView:
        """What a run of the file would do now. 422: no plan can be made of it, or a dry run's submit is refused."""
        check_size(data.yaml)
        return await services.plans.plan(data, caller.name)

    @get("/workflows/{run_id:str}/plan", opt=READ, responses=problems(404, 409, 503))
    async def plan_of_run(self, run_id: FromPath[str], services: NamedDependency[Services]) -> PlanView:
        """What the run would do if it were started now, on the agents of this moment."""
        return await services.plans.of_run(run_id)
