"""``PUT /logs/{stream}``: agents send the logs of step attempts."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from litestar import Controller, Request, put
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from waterflow_sdk.wire import LogAck, StreamName

from ..auth import Caller
from ..logs import MAX_CHUNK_BYTES
from ._openapi import problems
from ._problems import ApiError
from ._scopes import AGENT
from ._services import Services

Offset = Annotated[int, QueryParameter(ge=0, description="Length of the stream before this chunk, in bytes.")]
Agent = Annotated[str, QueryParameter(min_length=1, max_length=256, description="Name of the agent that sends it.")]


class LogIngestController(Controller):
    """Ingest of logs."""

    path = "/logs"
    tags = ("logs",)
    opt = AGENT

    @put("/{stream:path}", request_max_body_size=MAX_CHUNK_BYTES, responses=problems(400, 409, 413, 422, 503))
    async def ingest(
        self,
        request: Request[Any, Any, Any],
        stream: FromPath[str],
        offset: Offset,
        agent: Agent,
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
    ) -> LogAck:
        """Add whole lines of NDJSON to a log stream. 409: the offset leaves a gap; ``expected`` says where to go on."""
        name = _stream_name(request, stream)
        if caller.agent not in (None, agent):
            text = f"the API key {caller.name} belongs to agent {caller.agent!r}; {agent!r} cannot send logs with it"
            raise ApiError("agent-mismatch", text)
        return LogAck(offset=await services.logs.append(name, offset, await request.body(), agent))


def _stream_name(request: Request[Any, Any, Any], stream: str) -> StreamName:
    # The router folds slashes, which a name of a job instance may hold: take the address as it was sent.
    raw = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
    sent = unquote(raw.partition("/v1/logs/")[2]) or stream.lstrip("/")
    try:
        return StreamName.parse(sent)
    except ValueError as error:
        raise ApiError("log-stream", str(error)) from error
