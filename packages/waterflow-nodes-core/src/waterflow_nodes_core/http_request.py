"""``http/request``: call an HTTP service."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET, Meta

from waterflow_sdk import InvalidInput, Node, NodeContext, NodeError, NodeExample, NodeInput, NodeOutput, Secret

from ._http_checks import (
    Scalar,
    Status,
    StatusSet,
    as_text,
    check_headers,
    check_method,
    check_url,
    plain_url,
    proxy_for,
    query_pairs,
)
from ._http_exchange import MAX_BODY, Answer, Request, exchange, tls_settings
from ._paths import explain, resolve

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, 9.2.1
_SAFE_RETRIES = 2
_LONGEST_WAIT = 60.0


class Auth(NodeInput):
    """Either user name and password (basic, RFC 7617) or a token (bearer, RFC 6750)."""

    username: Annotated[str, Meta(description="User name for basic authentication.")] = ""
    password: Annotated[Secret[str] | None, Meta(description="Its password.")] = None
    bearer: Annotated[Secret[str] | None, Meta(description="Token for bearer authentication.")] = None

    def __post_init__(self) -> None:
        if bool(self.username) == bool(self.bearer):
            raise ValueError("`auth` needs either `username` and `password`, or `bearer`")
        if ":" in self.username:  # RFC 7617, section 2
            raise ValueError("`username` may not hold a colon")


class HttpRequest(Node):
    """Call an HTTP service and check its answer.

    The step fails when the status is not the expected one. A GET, HEAD or OPTIONS is tried again twice when there is no
    connection or the status is one of `retry-on-status`; other methods only when `retries` says so. The proxy that the
    step's environment names (`http_proxy`, `https_proxy`, `no_proxy`) is used.
    """

    name = "http/request"
    version = "1.0.0"
    examples = (
        NodeExample(
            title="Is a service healthy?",
            yaml="- uses: http/request\n  with:\n    url: http://localhost:8080/health\n    timeout: 5\n",
        ),
        NodeExample(
            title="Send JSON with a token",
            yaml="- uses: http/request\n  with:\n    url: https://example.org/api/deployments\n    method: POST\n"
            "    json: {service: shop, version: 1.4.2}\n    auth:\n      bearer: ${{ secrets.API_TOKEN }}\n"
            "    expected-status: 201\n",
        ),
        NodeExample(
            title="Download a file",
            yaml="- uses: http/request\n  with:\n    url: https://example.org/shop.tar.gz\n    save-to: shop.tar.gz\n",
        ),
    )

    class Input(NodeInput):
        """The request, and what is expected of its answer."""

        url: Annotated[str, Meta(description="Address, http or https.")]
        method: Annotated[str, Meta(description="HTTP method.")] = "GET"
        headers: Annotated[dict[str, Scalar], Meta(description="Headers.")] = {}
        query: Annotated[
            dict[str, Scalar | list[Scalar]], Meta(description="Query parameters; a list repeats the name.")
        ] = {}
        json: Annotated[Any, Meta(description="Body, sent as JSON.")] = UNSET
        body: Annotated[str | None, Meta(description="Body, sent as it is.")] = None
        form: Annotated[dict[str, Scalar] | None, Meta(description="Body, sent as a URL-encoded form.")] = None
        auth: Annotated[Auth | None, Meta(description="Authentication: username and password, or bearer.")] = None
        expected_status: Annotated[
            Status | list[Status], Meta(description="Statuses that are a success: 200, 2xx, 200-204 or a list.")
        ] = "2xx"
        timeout: Annotated[float, Meta(description="Seconds for each try.", gt=0, le=86_400)] = 30.0
        retries: Annotated[
            int | None,
            Meta(description="Further tries. Default: 2 for GET, HEAD and OPTIONS, else 0."),
        ] = None
        retry_on_status: Annotated[
            Status | list[Status], Meta(description="Statuses after which another try is made.")
        ] = msgspec.field(default_factory=lambda: [429, 502, 503, 504])
        retry_delay: Annotated[
            float, Meta(description="Seconds before the second try; doubled for each further one.", ge=0, le=60)
        ] = 1.0
        follow_redirects: Annotated[bool, Meta(description="Whether to follow redirects, up to 10.")] = True
        ca_file: Annotated[str, Meta(description="File with the certificates (PEM) to trust.")] = ""
        insecure: Annotated[bool, Meta(description="Accept any certificate. Only for tests.")] = False
        save_to: Annotated[str, Meta(description="File that gets the body of a successful answer.")] = ""

        def __post_init__(self) -> None:
            if sum((self.json is not UNSET, self.body is not None, self.form is not None)) > 1:
                raise ValueError("a request has one body: give one of `json`, `body` and `form`")
            if self.retries is not None and not 0 <= self.retries <= 20:
                raise ValueError("`retries` must be between 0 and 20")

    class Output(NodeOutput):
        """The answer."""

        status: Annotated[int, Meta(description="Status code.")]
        headers: Annotated[dict[str, str], Meta(description="Headers; names in lower case.")]
        body: Annotated[str, Meta(description=f"Body as text, at most {MAX_BODY // 1024} KiB; empty if it was saved.")]
        json: Annotated[Any, Meta(description="The body's value if it is whole and JSON, else null.")]
        elapsed: Annotated[float, Meta(description="Seconds that the last try took.")]
        attempts: Annotated[int, Meta(description="Number of tries.")]
        truncated: Annotated[bool, Meta(description="Whether body is only the beginning; use save-to for all of it.")]
        path: Annotated[str | None, Meta(description="Absolute path of the saved file.")] = None
        size: Annotated[int | None, Meta(description="Its size in bytes.")] = None
        sha256: Annotated[str | None, Meta(description="Its SHA-256, 64 hex digits.")] = None

    async def execute(self, ctx: NodeContext, inputs: Input) -> Output:
        """Check everything, then try until there is an answer that counts."""
        expected = StatusSet(inputs.expected_status, "expected-status")
        again = StatusSet(inputs.retry_on_status, "retry-on-status")
        save_to = resolve(ctx.workspace, inputs.save_to) if inputs.save_to else None
        request = _request(ctx, inputs)
        retries = inputs.retries if inputs.retries is not None else _SAFE_RETRIES * (request.method in _SAFE)
        for attempt in range(1, retries + 2):
            last = attempt == retries + 1
            wait = inputs.retry_delay * 2 ** (attempt - 1)
            try:
                answer = await exchange(request, save_to, expected)
            except OSError as error:  # of the file; the network's are NodeErrors
                raise explain(error, inputs.save_to) from error
            except NodeError as error:
                if last or not error.retryable:
                    raise
                ctx.log.warning(f"{error.message}; trying again")
            else:
                if answer.status in expected:
                    return self._output(answer, attempt, save_to)
                if last or answer.status not in again:
                    raise _unexpected(request, answer, expected, retryable=answer.status in again)
                ctx.log.warning(f"{_said(request, answer)}; trying again")
                wait = max(wait, answer.retry_after or 0)
            await asyncio.sleep(min(wait, _LONGEST_WAIT))
        raise AssertionError("the last try returns or raises")

    def _output(self, answer: Answer, attempts: int, save_to: Path | None) -> Output:
        saved = save_to is not None
        return self.Output(
            status=answer.status,
            headers=answer.headers,
            body=_text(answer),
            json=_json(answer),
            elapsed=answer.elapsed,
            attempts=attempts,
            truncated=answer.truncated,
            path=str(save_to) if saved else None,
            size=answer.size if saved else None,
            sha256=answer.sha256,
        )


def _request(ctx: NodeContext, inputs: HttpRequest.Input) -> Request:
    check_url(inputs.url)
    data, kind = _body(inputs)
    headers = check_headers({**_authorization(inputs), **inputs.headers})
    if kind and not _has(headers, "content-type"):
        headers["Content-Type"] = kind
    return Request(
        method=check_method(inputs.method),
        url=inputs.url,
        headers=headers,
        query=query_pairs(inputs.query),
        data=data,
        proxy=proxy_for(inputs.url, ctx.env),
        timeout=inputs.timeout,
        follow_redirects=inputs.follow_redirects,
        tls=tls_settings(resolve(ctx.workspace, inputs.ca_file) if inputs.ca_file else None, inputs.insecure),
    )


def _authorization(inputs: HttpRequest.Input) -> dict[str, str]:
    auth = inputs.auth
    if auth is None:
        return {}
    if _has(inputs.headers, "authorization"):
        raise InvalidInput("give either `auth` or an Authorization header", details={"input": "auth"})
    if auth.bearer:
        return {"Authorization": f"Bearer {auth.bearer.reveal()}"}
    pair = f"{auth.username}:{auth.password.reveal() if auth.password else ''}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _has(headers: Mapping[str, Scalar], name: str) -> bool:
    return any(given.lower() == name for given in headers)


def _body(inputs: HttpRequest.Input) -> tuple[bytes | None, str]:
    """The body's bytes and their type."""
    if inputs.json is not UNSET:
        return msgspec.json.encode(inputs.json), "application/json"
    if inputs.form is not None:
        pairs = [(name, as_text(value)) for name, value in inputs.form.items()]
        return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    if inputs.body is not None:
        return inputs.body.encode(), "text/plain; charset=utf-8"
    return None, ""


def _said(request: Request, answer: Answer) -> str:
    return f"{request.method} {plain_url(request.url)} answered {answer.status} {answer.reason}".rstrip()


def _unexpected(request: Request, answer: Answer, expected: StatusSet, *, retryable: bool) -> NodeError:
    return NodeError(
        f"{_said(request, answer)}; expected {expected}",
        code="http-status",
        retryable=retryable,
        details={"status": answer.status, "body": _text(answer)[:1000]},
    )


def _text(answer: Answer) -> str:
    try:
        return answer.body.decode(answer.charset, "replace")
    except LookupError:  # a charset that Python does not know
        return answer.body.decode("utf-8", "replace")


def _json(answer: Answer) -> Any:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.truncated or not (kind == "application/json" or kind.endswith("+json")):
        return None
    try:
        return msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return None
