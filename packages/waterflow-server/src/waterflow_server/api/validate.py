"""``/validate``: check a workflow file without running it."""

from __future__ import annotations

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from waterflow_sdk.wire import ValidateRequest, ValidateResponse

from ._body import MAX_BODY_BYTES, WorkflowRequest, check_size
from ._openapi import problems
from ._scopes import READ
from ._services import Services


class ValidateController(Controller):
    """Validation."""

    path = "/validate"
    tags = ("workflows",)

    @post(
        "/",
        status_code=200,
        request_class=WorkflowRequest,
        request_max_body_size=MAX_BODY_BYTES,
        opt={**READ, "query_parameters": ("filename",)},
        responses=problems(400, 413, 415),
    )
    async def validate(self, data: JSONBody[ValidateRequest], services: NamedDependency[Services]) -> ValidateResponse:
        """Diagnostics of a workflow file, with the nodes and groups that are there now. 200 for an invalid one too."""
        check_size(data.yaml)
        return await services.submissions.validate(data)
