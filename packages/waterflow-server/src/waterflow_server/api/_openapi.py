"""What the OpenAPI document says beyond the handlers' signatures."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from litestar import Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
    SecurityScheme,
)

from waterflow_sdk.wire import PlanView, Problem

_SAMPLE = "jobs:\n  hello:\n    steps:\n      - run: echo hello\n"


def openapi_config(version: str) -> OpenAPIConfig:
    """OpenAPI 3.1 at ``/schema`` and ``/schema/openapi.json``, as YAML at ``/schema/openapi.yaml``."""
    return OpenAPIConfig(
        title="Waterflow",
        version=version,
        description="Durable workflows on many servers. Errors are RFC 9457 problem documents.",
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "key": SecurityScheme(
                    type="http", scheme="bearer", description="An API key, where the server asks for one."
                )
            }
        ),
        security=[{"key": []}],
        # What the API looks like is no secret, and tools that read it send no key.
        openapi_router=Router("/schema", route_handlers=[], opt={"scope": "open"}),
        render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"]), YamlRenderPlugin()],
    )


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem documents a route may answer with."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description=HTTPStatus(status).phrase,
            media_type="application/problem+json",  # pyright: ignore[reportArgumentType]
        )
        for status in statuses
    }


DRY_RUN = ResponseSpec(
    data_container=PlanView, generate_examples=False, description="A dry run: what would run, and nothing has started."
)


@dataclass
class SubmitOperation(Operation):
    """Submit also takes the YAML itself; what is in the JSON body is then in the query."""

    def __post_init__(self) -> None:
        if isinstance(self.request_body, RequestBody):
            self.request_body.content["application/yaml"] = OpenAPIMediaType(
                schema=Schema(type=OpenAPIType.STRING, description="The workflow file."),
                examples={"hello": Example(value=_SAMPLE)},
            )
        texts = {
            "dry_run": "`true`: everything but the run.",
            "filename": "Name of the file, for messages.",
            "idempotency_key": "The same key gives the same run.",
            "run_at": "When the run begins.",
            "tenant_id": "Tenant of the run.",
            "vars": "JSON object of variables.",
            "inputs": "JSON object of inputs.",
        }
        lists = {"var": "`name=value`.", "input": "`name=value`.", "label": "A label.", "labels": "Labels, by commas."}
        self.parameters = [
            *(self.parameters or []),
            *(_parameter(name, text, Schema(type=OpenAPIType.STRING)) for name, text in texts.items()),
            *(_parameter(name, text, _STRINGS) for name, text in lists.items()),
        ]


_STRINGS = Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.STRING))


def _parameter(name: str, text: str, schema: Schema) -> Any:
    return Parameter(name=name, param_in="query", schema=schema, description=f"{text} Only with a YAML body.")
