"""Signatures against what Amazon publishes: the test suite of Signature Version 4, and the examples for S3."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from waterflow_server.logs._sigv4 import Credentials, Request, signed_headers

SUITE = Credentials(key_id="AKIDEXAMPLE", secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SUITE_TIME = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
S3 = Credentials(key_id="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
S3_TIME = datetime(2013, 5, 24, tzinfo=UTC)
HOST = {"host": "examplebucket.s3.amazonaws.com"}


def signature(headers: dict[str, str]) -> str:
    return headers["authorization"].rpartition("Signature=")[2]


class TestSuite:
    @pytest.mark.parametrize(
        ("request_", "expected"),
        [
            (Request(method="GET", path="/"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (Request(method="POST", path="/"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                Request(method="GET", path="/", query={"Param2": "value2", "Param1": "value1"}),
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ],
        ids=["get-vanilla", "post-vanilla", "get-vanilla-query-order-key-case"],
    )
    def test_vector(self, request_: Request, expected: str):
        request = Request(
            method=request_.method, path=request_.path, query=request_.query, headers={"host": "example.amazonaws.com"}
        )
        headers = signed_headers(request, SUITE, "us-east-1", "service", SUITE_TIME)
        assert signature(headers) == expected


class TestS3Examples:
    @pytest.mark.parametrize(
        ("request_", "expected"),
        [
            (
                Request(method="GET", path="/test.txt", headers={**HOST, "range": "bytes=0-9"}),
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                Request(
                    method="PUT",
                    path="/test%24file.text",
                    headers={
                        **HOST,
                        "date": "Fri, 24 May 2013 00:00:00 GMT",
                        "x-amz-storage-class": "REDUCED_REDUNDANCY",
                    },
                    body=b"Welcome to Amazon S3.",
                ),
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                Request(method="GET", path="/", query={"lifecycle": ""}, headers=HOST),
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                Request(method="GET", path="/", query={"max-keys": "2", "prefix": "J"}, headers=HOST),
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ],
        ids=["get with a range", "put", "lifecycle", "list"],
    )
    def test_vector(self, request_: Request, expected: str):
        assert signature(signed_headers(request_, S3, "us-east-1", "s3", S3_TIME)) == expected


class TestCredentials:
    def test_a_token_is_sent_and_signed(self):
        credentials = Credentials(key_id="K", secret="S", token="T")
        headers = signed_headers(Request(method="GET", path="/", headers=HOST), credentials, "us-east-1")
        assert headers["x-amz-security-token"] == "T"
        assert "x-amz-security-token" in headers["authorization"]

    def test_are_not_shown(self):
        assert repr(S3) == "Credentials(key_id='AKIAIOSFODNN7EXAMPLE')"
