"""Whatever is sent, the answer is a problem document of status 4xx: never a traceback, never a 500."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Client

PATHS = [
    "/v1/workflows",
    "/v1/workflows/r1",
    "/v1/workflows/r1/logs",
    "/v1/workflows/r1/cancel",
    "/v1/logs/r1/j/s.1",
    "/v1/validate",
    "/v1/nodes/x",
    "/v1/agents/x",
]
NAMES = [
    "state",
    "limit",
    "cursor",
    "view",
    "since",
    "tail",
    "attempt",
    "stream",
    "offset",
    "agent",
    "vars",
    "run_at",
    "x",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
BODY = st.binary(max_size=60) | st.fixed_dictionaries({}, optional=dict.fromkeys(("yaml", "vars", "labels"), JSON))
hostile = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def acceptable(answer: Any) -> bool:
    if answer.status_code < 400:
        return True
    return answer.status_code < 500 and answer.headers["content-type"] == "application/problem+json"


class TestAnything:
    @given(
        method=st.sampled_from(["GET", "POST", "PUT"]),
        path=st.sampled_from(PATHS),
        query=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12), max_size=4),
        body=BODY,
        media_type=st.sampled_from(["application/json", "application/yaml", "text/plain", "", "a/b;c=\xe4"]),
    )
    @hostile
    async def test_is_answered(
        self, client: Client, method: str, path: str, query: dict[str, str], body: Any, media_type: str
    ) -> None:
        given: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {"content-type": media_type.encode("latin-1")}
        answer = await client.request(method, path, params=query, headers=headers, **given)
        assert acceptable(answer), (answer.status_code, answer.text)

    @given(segment=st.text(string.printable, min_size=1, max_size=30))
    @hostile
    async def test_path_is_answered(self, client: Client, segment: str) -> None:
        for path in ("/v1/workflows/", "/v1/nodes/", "/v1/agents/", "/"):
            answer = await client.get(path + "".join(f"%{byte:02x}" for byte in segment.encode()))
            assert acceptable(answer), (answer.status_code, answer.text)

    @pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999", "-" + "9" * 400])
    async def test_number_that_json_cannot_hold_is_answered(self, client: Client, number: str) -> None:
        content = f'{{"yaml": "a", "vars": {{"n": {number}}}}}'
        answer = await client.post("/v1/workflows", content=content, headers={"content-type": "application/json"})
        assert acceptable(answer), (answer.status_code, answer.text)

    @pytest.mark.parametrize("length", ["x", "-1", "1" * 30])
    async def test_length_is_answered(self, client: Client, length: str) -> None:
        answer = await client.post("/v1/workflows", content=b"{}", headers={"content-length": length})
        assert acceptable(answer), (answer.status_code, answer.text)
