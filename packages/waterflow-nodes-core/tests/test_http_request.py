"""``http/request`` against a real server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from waterflow_nodes_core.http_request import HttpRequest
from waterflow_sdk.testing import NodeResult, run_node, run_node_async

LARGE = b"0123456789abcdef" * 8192


class Service:
    """A server whose answers the tests choose by path; remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.authorization: str | None = None
        self.release = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/echo", self.echo)
        app.router.add_route("*", "/status/{codes}", self.status)
        app.router.add_get("/large", self.large)
        app.router.add_get("/slow", self.slow)
        app.router.add_get("/cut", self.cut)
        app.router.add_get("/redirect", self.redirect)
        app.router.add_get("/latin", self.latin)
        return app

    async def echo(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.authorization = request.headers.get("Authorization")
        return web.json_response(
            {
                "method": request.method,
                "query": [list(pair) for pair in request.query.items()],
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "body": await request.text(),
            }
        )

    async def status(self, request: web.Request) -> web.Response:
        codes = request.match_info["codes"].split("-")
        code = codes[min(self.asked, len(codes) - 1)]
        self.asked += 1
        return web.Response(status=int(code), text=f"this is {code}", headers={"Retry-After": "0"})

    async def large(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.Response(body=LARGE)

    async def slow(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self.asked += 1
        await self.release.wait()
        return web.Response()

    async def cut(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    async def redirect(self, request: web.Request) -> web.Response:
        location = request.query.get("to", "/redirect")
        return web.Response(status=302, headers={"Location": location})

    async def latin(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.Response(body="grün".encode("latin-1"), headers={"Content-Type": "text/plain; charset=latin-1"})


async def _serve(service: Service, tls: ssl.SSLContext | None = None) -> AsyncIterator[Service]:
    runner = web.AppRunner(service.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    service.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    try:
        yield service
    finally:
        service.release.set()
        await runner.cleanup()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async for running in _serve(Service()):
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("tls")
    cert, key = directory / "cert.pem", directory / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return cert, key


@pytest.fixture
async def tls_service(certificate: tuple[Path, Path]) -> AsyncIterator[Service]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async for running in _serve(Service(), context):
        yield running


async def call(url: str, workspace: Path | None = None, **inputs: Any) -> NodeResult:
    return await run_node_async(HttpRequest, {"url": url, "retry-delay": 0, **inputs}, workspace=workspace)


async def echoed(service: Service, **inputs: Any) -> dict[str, Any]:
    result = await call(f"{service.url}/echo", **inputs)
    assert result.error is None
    return result.outputs["json"]


def contents(directory: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in directory.iterdir()}


def failure(result: NodeResult) -> tuple[str, str, bool]:
    assert result.error is not None
    return result.error.code, result.error.message, result.error.retryable


class TestRequest:
    async def test_get(self, service: Service) -> None:
        result = await call(f"{service.url}/echo")
        outputs = result.outputs
        assert (outputs["status"], outputs["attempts"], outputs["truncated"]) == (200, 1, False)
        assert outputs["headers"]["content-type"] == "application/json; charset=utf-8"
        assert json.loads(outputs["body"]) == outputs["json"]
        assert outputs["json"]["method"] == "GET"
        assert outputs["elapsed"] >= 0

    async def test_method_in_any_case(self, service: Service) -> None:
        assert (await echoed(service, method="delete"))["method"] == "DELETE"

    async def test_query(self, service: Service) -> None:
        query = {"a": "x&y=z", "b": [1, 2], "c": True}
        assert (await echoed(service, query=query))["query"] == [["a", "x&y=z"], ["b", "1"], ["b", "2"], ["c", "true"]]

    async def test_headers(self, service: Service) -> None:
        headers = (await echoed(service, headers={"X-Number": 5, "X-Flag": False}))["headers"]
        assert (headers["x-number"], headers["x-flag"]) == ("5", "false")

    @pytest.mark.parametrize(
        ("inputs", "kind", "body"),
        [
            ({"json": {"a": [1, None]}}, "application/json", '{"a":[1,null]}'),
            ({"json": None}, "application/json", "null"),
            ({"form": {"a": "x y", "b": True}}, "application/x-www-form-urlencoded", "a=x+y&b=true"),
            ({"body": "plain"}, "text/plain; charset=utf-8", "plain"),
            ({"body": "a,b", "headers": {"Content-Type": "text/csv"}}, "text/csv", "a,b"),
        ],
        ids=["json", "json null", "form", "body", "body with its type"],
    )
    async def test_body(self, service: Service, inputs: dict[str, Any], kind: str, body: str) -> None:
        got = await echoed(service, method="POST", **inputs)
        assert (got["headers"]["content-type"], got["body"]) == (kind, body)


class TestAuth:
    async def test_basic(self, service: Service) -> None:
        await call(f"{service.url}/echo", auth={"username": "me", "password": "pässword"})
        assert service.authorization == "Basic " + base64.b64encode("me:pässword".encode()).decode()

    async def test_bearer(self, service: Service) -> None:
        await call(f"{service.url}/echo", auth={"bearer": "tok-123"})
        assert service.authorization == "Bearer tok-123"

    async def test_it_is_masked_in_the_outputs(self, service: Service) -> None:
        assert (await echoed(service, auth={"bearer": "tok-123"}))["headers"]["authorization"] == "Bearer ***"
        basic = (await echoed(service, auth={"username": "me", "password": "geheimes-wort"}))["headers"][
            "authorization"
        ]
        assert "***" in basic

    async def test_it_is_not_sent_to_another_host(self, service: Service) -> None:
        other = service.url.replace("127.0.0.1", "localhost")
        result = await call(f"{service.url}/redirect", query={"to": f"{other}/echo"}, auth={"bearer": "tok-123"})
        assert (result.outputs["status"], service.authorization) == (200, None)


class TestStatus:
    async def test_an_unexpected_one(self, service: Service) -> None:
        result = await call(f"{service.url}/status/404?token=x")
        assert failure(result) == (
            "http-status",
            f"GET {service.url}/status/404 answered 404 Not Found; expected 2xx",
            False,
        )
        assert result.error is not None
        assert result.error.details == {"status": 404, "body": "this is 404"}

    @pytest.mark.parametrize("expected", [404, "404", "4xx", "400-410", [200, "404"]], ids=str)
    async def test_an_expected_one(self, service: Service, expected: Any) -> None:
        result = await call(f"{service.url}/status/404", **{"expected-status": expected})
        assert (result.ok, result.outputs["status"], result.outputs["body"]) == (True, 404, "this is 404")


class TestRetries:
    async def test_a_get_is_tried_again(self, service: Service) -> None:
        result = await call(f"{service.url}/status/503-502-200")
        assert (result.ok, result.outputs["attempts"], service.asked) == (True, 3, 3)
        assert [event.text for event in result.events] == [
            f"GET {service.url}/status/503-502-200 answered 503 Service Unavailable; trying again",
            f"GET {service.url}/status/503-502-200 answered 502 Bad Gateway; trying again",
        ]

    async def test_a_post_is_not(self, service: Service) -> None:
        result = await call(f"{service.url}/status/503-200", method="POST")
        assert (failure(result)[2], service.asked) == (True, 1)

    async def test_a_post_is_when_told(self, service: Service) -> None:
        assert (await call(f"{service.url}/status/503-200", method="POST", retries=1)).ok

    async def test_the_number_of_tries_is_limited(self, service: Service) -> None:
        result = await call(f"{service.url}/status/503", retries=3)
        assert (failure(result)[0], service.asked) == ("http-status", 4)

    async def test_other_statuses(self, service: Service) -> None:
        assert (await call(f"{service.url}/status/500-200", **{"retry-on-status": "5xx"})).outputs["attempts"] == 2

    async def test_one_that_is_not_among_them(self, service: Service) -> None:
        assert not (await call(f"{service.url}/status/500-200")).ok
        assert service.asked == 1


class TestBody:
    async def test_a_large_one_is_cut(self, service: Service) -> None:
        outputs = (await call(f"{service.url}/large")).outputs
        assert (outputs["truncated"], outputs["body"], outputs["json"]) == (True, LARGE[: 24 * 1024].decode(), None)

    async def test_its_charset(self, service: Service) -> None:
        assert (await call(f"{service.url}/latin")).outputs["body"] == "grün"

    async def test_save_to(self, service: Service, tmp_path: Path) -> None:
        outputs = (await call(f"{service.url}/large", workspace=tmp_path, **{"save-to": "x.bin"})).outputs
        assert (tmp_path / "x.bin").read_bytes() == LARGE
        assert outputs["path"] == str(tmp_path / "x.bin")
        assert (outputs["size"], outputs["sha256"]) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())
        assert (outputs["body"], outputs["truncated"]) == ("", False)

    @pytest.mark.parametrize("path", ["status/404", "cut"])
    async def test_a_failure_leaves_the_old_file(self, service: Service, tmp_path: Path, path: str) -> None:
        (tmp_path / "x").write_text("old")
        result = await call(f"{service.url}/{path}", workspace=tmp_path, retries=0, **{"save-to": "x"})
        assert not result.ok
        assert contents(tmp_path) == {"x": "old"}

    async def test_save_to_a_missing_directory(self, service: Service) -> None:
        result = await call(f"{service.url}/large", **{"save-to": "no/x"})
        assert failure(result) == ("not-found", "'no/x' does not exist", False)


class TestRedirects:
    async def test_followed(self, service: Service) -> None:
        assert (await call(f"{service.url}/redirect?to=/echo")).outputs["status"] == 200

    async def test_not_followed(self, service: Service) -> None:
        options = {"follow-redirects": False, "expected-status": 302}
        assert (await call(f"{service.url}/redirect", **options)).outputs["headers"]["location"] == "/redirect"

    async def test_without_end(self, service: Service) -> None:
        result = await call(f"{service.url}/redirect")
        assert failure(result) == ("http-redirects", f"GET {service.url}/redirect: more than 10 redirects", False)


class TestNoAnswer:
    async def test_nobody_there(self) -> None:
        result = await call("http://127.0.0.1:1/x", retries=0)
        assert failure(result) == (
            "http-connection",
            "GET http://127.0.0.1:1/x: cannot connect to 127.0.0.1:1: Connection refused",
            True,
        )

    async def test_no_such_host(self) -> None:
        result = await call("http://nowhere.invalid/", retries=0)
        assert failure(result)[:2] == (
            "http-connection",
            "GET http://nowhere.invalid/: the host 'nowhere.invalid' has no address",
        )

    async def test_too_late(self, service: Service) -> None:
        result = await call(f"{service.url}/slow", timeout=0.1, retries=0)
        assert failure(result) == ("timeout", f"GET {service.url}/slow: no answer within 0.1 seconds", True)

    async def test_a_time_out_is_tried_again(self, service: Service) -> None:
        await call(f"{service.url}/slow", timeout=1.0)
        assert service.asked == 3

    async def test_cut_off(self, service: Service) -> None:
        assert failure(await call(f"{service.url}/cut", retries=0))[0] == "http-connection"


class TestProxy:
    """The step's environment names it."""

    async def through(self, url: str, env: dict[str, str]) -> bytes:
        """The first line that the proxy gets."""
        lines: list[bytes] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            lines.append(await reader.readline())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            names = {name: value.replace("PROXY", address) for name, value in env.items()}
            await run_node_async(HttpRequest, {"url": url, "retries": 0}, env=names)
        return b"".join(lines)

    async def test_http(self) -> None:
        line = await self.through("http://nowhere.invalid/x", {"http_proxy": "PROXY"})
        assert line == b"GET http://nowhere.invalid/x HTTP/1.1\r\n"

    async def test_https(self) -> None:
        line = await self.through("https://nowhere.invalid/x", {"HTTPS_PROXY": "PROXY"})
        assert line == b"CONNECT nowhere.invalid:443 HTTP/1.1\r\n"

    @pytest.mark.parametrize("none", ["nowhere.invalid", "invalid", "a.b, .INVALID", "*"])
    async def test_not_for_these_hosts(self, none: str) -> None:
        assert await self.through("http://nowhere.invalid/x", {"http_proxy": "PROXY", "NO_PROXY": none}) == b""

    async def test_for_others(self) -> None:
        env = {"http_proxy": "PROXY", "no_proxy": "where.invalid, ,x"}
        assert await self.through("http://nowhere.invalid/x", env) != b""


class TestTls:
    async def test_an_unknown_authority(self, tls_service: Service) -> None:
        code, message, retryable = failure(await call(f"{tls_service.url}/echo"))
        assert (code, retryable) == ("http-tls", False)
        assert message.startswith(f"GET {tls_service.url}/echo: TLS failed: ")
        assert message.endswith("; see ca-file and insecure")

    async def test_ca_file(self, tls_service: Service, certificate: tuple[Path, Path]) -> None:
        assert (await call(f"{tls_service.url}/echo", **{"ca-file": str(certificate[0])})).ok

    async def test_insecure(self, tls_service: Service) -> None:
        assert (await call(f"{tls_service.url}/echo", insecure=True)).ok

    async def test_a_bad_ca_file(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("nothing")
        code, message, _ = failure(await call("https://localhost/", workspace=tmp_path, **{"ca-file": "x"}))
        assert code == "invalid-input"
        assert message.startswith(f"ca-file '{tmp_path}/x' holds no certificates: ")

    async def test_a_missing_ca_file(self) -> None:
        result = await call("https://localhost/", **{"ca-file": "/no/such"})
        assert failure(result)[1] == "ca-file '/no/such' does not exist"


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("scheme", {"url": "ftp://x/"}, "'ftp://x/' is no http:// or https:// URL with a host"),
    ("no host", {"url": "http:///x"}, "'http:///x' is no http:// or https:// URL with a host"),
    ("port", {"url": "http://x:99999/"}, "the URL cannot be read: Port out of range 0-65535"),
    ("line break", {"url": "http://x/\r\nX: y"}, "the URL has white space or control characters: encode them with %"),
    ("user", {"url": "http://me:pw@x/"}, "the URL holds a user name: give it in `auth`, where it is kept secret"),
    ("method", {"method": "GET /x"}, "'GET /x' is no HTTP method"),
    ("header name", {"headers": {"A: b": "x"}}, "'A: b' is no name for a header"),
    (
        "header injection",
        {"headers": {"A": "x\r\nB: y"}},
        "the value of the header A has a line break or control character",
    ),
    (
        "token injection",
        {"auth": {"bearer": "x\r\nB: y"}},
        "the value of the header Authorization has a line break or control character",
    ),
    ("status", {"expected-status": "ok"}, "'ok' is no status: write 200, 2xx or 200-204"),
    ("retry status", {"retry-on-status": [700]}, "'700' is no status: write 200, 2xx or 200-204"),
    ("auth", {"auth": {}}, "input 'auth' of http/request: `auth` needs either `username` and `password`, or `bearer`"),
    ("colon", {"auth": {"username": "a:b"}}, "input 'auth' of http/request: `username` may not hold a colon"),
    (
        "auth twice",
        {"auth": {"bearer": "x1"}, "headers": {"authorization": "y"}},
        "give either `auth` or an Authorization header",
    ),
    ("bodies", {"json": 1, "body": "x"}, "http/request: a request has one body: give one of `json`, `body` and `form`"),
    ("retries", {"retries": 21}, "http/request: `retries` must be between 0 and 20"),
    ("timeout", {"timeout": 0}, "input 'timeout' of http/request: expected `float` > 0.0"),
    ("unknown", {"header": {}}, "http/request has no input 'header'; did you mean 'headers'?"),
]


class TestBadInput:
    @pytest.mark.parametrize(("inputs", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
    def test_message(self, inputs: dict[str, Any], message: str) -> None:
        assert failure(run_node(HttpRequest, {"url": "http://127.0.0.1:1/", **inputs})) == (
            "invalid-input",
            message,
            False,
        )
