"""The two forms of a submitted workflow: JSON, or the YAML itself with everything else in the query."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import SerializationException

from ._problems import ApiError

MAX_WORKFLOW_BYTES = 1024 * 1024
"""The largest workflow file."""

MAX_BODY_BYTES = 4 * MAX_WORKFLOW_BYTES
"""The largest body: a workflow file, with room for its being quoted in JSON and for what the run gets."""

JSON = ("application/json",)
YAML = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")  # RFC 9512 and its forerunners

YAML_PARAMETERS = (
    "dry_run",
    "filename",
    "idempotency_key",
    "input",
    "inputs",
    "label",
    "labels",
    "run_at",
    "tenant_id",
    "var",
    "vars",
)
"""Query parameters that go with a YAML body. There is none for secrets: addresses end in logs."""


class JsonRequest(Request[Any, Any, Any]):
    """A request whose body is JSON; any other media type is refused (415)."""

    async def json(self) -> Any:
        """The body, parsed."""
        self._check(JSON)
        return await self._parse()

    async def _parse(self) -> Any:
        try:
            return await super().json()
        except (SerializationException, UnicodeDecodeError, RecursionError) as error:
            raise ApiError("bad-request", f"the body is not JSON: {_why(await self.body(), error)}") from error

    def _check(self, accepted: tuple[str, ...]) -> str:
        media_type = self.content_type[0].lower()
        # A body without a media type is what small scripts send; the first one here is then meant.
        if media_type and media_type not in accepted and not media_type.endswith("+json"):
            raise ApiError(
                "unsupported-media-type",
                f"the body is {media_type!r}, but only {' or '.join(dict.fromkeys(accepted))} is taken here",
            )
        return media_type


class WorkflowRequest(JsonRequest):
    """A request whose body is a workflow: JSON, or ``application/yaml`` which is put into the JSON form."""

    async def json(self) -> Any:
        """The body in its JSON form."""
        if self._check((*JSON, *YAML)) not in YAML:
            self._refuse_yaml_parameters()
            return await self._parse()
        return {"yaml": _text(await self.body()), **_from_query(self)}

    def _refuse_yaml_parameters(self) -> None:
        given = next((name for name in self.query_params if name in YAML_PARAMETERS), None)
        if given is not None:
            raise ApiError("invalid-query", f"{given!r} belongs into the body when the body is JSON")


def check_size(yaml: str) -> None:
    """Raises ApiError (413) for a workflow file that is too large."""
    size = len(yaml.encode(errors="surrogatepass"))
    if size > MAX_WORKFLOW_BYTES:
        raise ApiError(
            "workflow-too-large",
            f"the workflow file has {size} bytes, the most is {MAX_WORKFLOW_BYTES}; move data out of it, or split it",
        )


def _why(body: bytes, error: Exception) -> str:
    try:
        body.decode()
    except UnicodeDecodeError as undecodable:
        return f"byte {undecodable.start} is {body[undecodable.start]:#04x}, which is not UTF-8 text"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    cause = str(error.__cause__ or error)
    if cause == "Input data was truncated":
        return f"it ends in the middle of a value, after {len(body)} bytes"
    return cause.removeprefix("JSON is malformed: ")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ApiError(
            "bad-request", f"the workflow file is not UTF-8 text: byte {error.start} is {body[error.start]:#04x}"
        ) from error


def _from_query(request: Request[Any, Any, Any]) -> dict[str, Any]:
    query = request.query_params
    fields: dict[str, Any] = {
        name: query[name] for name in ("filename", "idempotency_key", "run_at", "tenant_id") if name in query
    }
    if "dry_run" in query:
        fields["dry_run"] = _flag("dry_run", query["dry_run"])
    fields["vars"] = _mapping(request, "vars", "var")
    fields["inputs"] = _mapping(request, "inputs", "input")
    labels = [label for given in query.getall("labels", []) for label in given.split(",")]
    fields["labels"] = [*labels, *query.getall("label", [])]
    return fields


def _flag(name: str, given: str) -> bool:
    if given.lower() not in {"true", "false"}:
        raise ApiError("invalid-query", f"{name}={given!r} has to be true or false")
    return given.lower() == "true"


def _mapping(request: Request[Any, Any, Any], whole: str, single: str) -> dict[str, Any]:
    """``vars={"a": 1}`` as JSON, and ``var=a=1`` as often as wanted; the single ones go first."""
    values: dict[str, Any] = {}
    for given in request.query_params.getall(whole, []):
        try:
            values |= msgspec.json.decode(given, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ApiError("invalid-query", f"{whole!r} is not a JSON object: {error}") from error
    for given in request.query_params.getall(single, []):
        name, equals, value = given.partition("=")
        if not (name and equals):
            raise ApiError("invalid-query", f"{single}={given!r} is not of the form name=value")
        values[name] = value
    return values
