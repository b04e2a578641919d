"""``/v1/workflows``: both forms of submit, lists, one run, cancel."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from waterflow_sdk.wire import JobState, RunState, State, SubmitRequest
from waterflow_server import Services
from waterflow_server.runs import IdempotencyConflict, RunQuery
from waterflow_server.submissions import InvalidWorkflow

from .conftest import TIME, Client, RunsInMemory, SubmissionsInMemory

YAML = {"content-type": "application/yaml"}

ALL_STATES = "pending, queued, running, paused, waiting, success, failed, skipped, cancelled, timed-out"


def run(state: State = State.RUNNING) -> RunState:
    return RunState(id="r1", name="deploy", state=state)


class TestSubmitJson:
    async def test_it_is_accepted_with_the_address_of_the_run(
        self, client: Client, submissions: SubmissionsInMemory
    ) -> None:
        body = {
            "yaml": "jobs: {}",
            "filename": "deploy.yaml",
            "vars": {"app": "shop"},
            "inputs": {"version": "1.2"},
            "secrets": {"TOKEN": "s3cret"},
            "labels": ["nightly"],
            "idempotency_key": "k",
            "run_at": "2026-11-21T10:00:00Z",
        }
        answer = await client.post("/v1/workflows", json=body)
        assert answer.status_code == 202
        assert answer.headers["location"] == "/v1/workflows/r1"
        assert answer.json() == {"id": "r1", "url": "/v1/workflows/r1"}
        assert submissions.requests == [
            SubmitRequest(
                yaml="jobs: {}",
                filename="deploy.yaml",
                vars={"app": "shop"},
                inputs={"version": "1.2"},
                secrets={"TOKEN": "s3cret"},
                labels=["nightly"],
                idempotency_key="k",
                run_at=TIME,
            )
        ]

    @pytest.mark.parametrize(
        ("body", "path", "message"),
        [
            ({}, "body", "Object missing required field `yaml`"),
            ({"yaml": 1}, "yaml", "Expected `str`, got `int`"),
            ({"yaml": "", "labels": "a"}, "labels", "Expected `array`, got `str`"),
            ({"yaml": "", "secrets": {"A": 1}}, "secrets[...]", "Expected `str`, got `int`"),
            ({"yaml": "", "run_at": "soon"}, "run_at", "Invalid RFC3339 encoded datetime"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, client: Client, body: dict[str, object], path: str, message: str
    ) -> None:
        answer = await client.post("/v1/workflows", json=body)
        assert answer.status_code == 400
        assert answer.json()["detail"] == f"{path}: {message}"
        assert answer.json()["errors"] == [{"path": path, "message": message, "source": "body"}]

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b'{"yaml": "a', "it ends in the middle of a value, after 11 bytes"),
            (b'{"yaml": "a",}', "trailing comma in object (byte 13)"),
            (b"jobs: {}", "invalid character (byte 0)"),
            (b'{"yaml": "\xe4"}', "byte 10 is 0xe4, which is not UTF-8 text"),
            (b"[" * 100_000, "it is nested too deeply"),
        ],
        ids=["cut", "malformed", "YAML", "not UTF-8", "nested"],
    )
    async def test_what_is_not_json_is_said(self, client: Client, body: bytes, why: str) -> None:
        answer = await client.post("/v1/workflows", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")
        assert answer.json()["detail"] == f"the body is not JSON: {why}"

    async def test_no_body_is_said(self, client: Client) -> None:
        answer = await client.post("/v1/workflows")
        assert (answer.status_code, answer.json()["detail"]) == (400, "body: a body is needed")

    async def test_parameters_of_the_yaml_form_are_refused(self, client: Client) -> None:
        answer = await client.post("/v1/workflows?label=a", json={"yaml": "jobs: {}"})
        assert answer.status_code == 400
        assert answer.json()["detail"] == "'label' belongs into the body when the body is JSON"


class TestDryRun:
    async def test_in_a_json_body(self, client: Client, submissions: SubmissionsInMemory) -> None:
        answer = await client.post("/v1/workflows", json={"yaml": "jobs: {}", "filename": "d.yaml", "dry_run": True})
        assert (answer.status_code, answer.json()) == (200, {"name": "d.yaml of anonymous", "dry_run": True})
        assert "location" not in answer.headers
        assert submissions.requests == []

    async def test_in_the_query_of_a_yaml_body(self, client: Client, submissions: SubmissionsInMemory) -> None:
        answer = await client.post("/v1/workflows?dry_run=true", content=b"jobs: {}", headers=YAML)
        assert (answer.status_code, answer.json()["dry_run"]) == (200, True)
        assert submissions.requests == []

    async def test_false_is_a_run(self, client: Client) -> None:
        answer = await client.post("/v1/workflows?dry_run=false", content=b"jobs: {}", headers=YAML)
        assert answer.status_code == 202

    async def test_neither_starts_nothing(self, client: Client, submissions: SubmissionsInMemory) -> None:
        answer = await client.post("/v1/workflows?dry_run=yes", content=b"jobs: {}", headers=YAML)
        assert (answer.status_code, answer.json()["detail"]) == (400, "dry_run='yes' has to be true or false")
        assert submissions.requests == []


class TestSubmitYaml:
    async def test_the_rest_is_in_the_query(self, client: Client, submissions: SubmissionsInMemory) -> None:
        query = "filename=d.yaml&vars={%22n%22:1}&var=app=a=b&input=v=1.2&inputs={%22x%22:true}&label=a,b&labels=c,d"
        answer = await client.post(
            f"/v1/workflows?{query}&idempotency_key=k&run_at=2026-11-21T10:00:00Z", content=b"jobs: {}", headers=YAML
        )
        assert answer.status_code == 202
        assert submissions.requests == [
            SubmitRequest(
                yaml="jobs: {}",
                filename="d.yaml",
                vars={"n": 1, "app": "a=b"},
                inputs={"x": True, "v": "1.2"},
                labels=["c", "d", "a,b"],
                idempotency_key="k",
                run_at=TIME,
            )
        ]

    @pytest.mark.parametrize("media_type", ["text/yaml", "application/x-yaml", "application/yaml; charset=utf-8"])
    async def test_older_media_types_are_taken(self, client: Client, media_type: str) -> None:
        answer = await client.post("/v1/workflows", content=b"jobs: {}", headers={"content-type": media_type})
        assert answer.status_code == 202

    @pytest.mark.parametrize(
        ("query", "detail"),
        [
            ("vars=[1]", "'vars' is not a JSON object: Expected `object`, got `array`"),
            ("var=app", "var='app' is not of the form name=value"),
            ("input==1", "input='=1' is not of the form name=value"),
            ("secrets={}", "unknown query parameter 'secrets'"),
            ("lable=a", "unknown query parameter 'lable'; did you mean 'label'?"),
        ],
    )
    async def test_a_wrong_parameter_is_said(self, client: Client, query: str, detail: str) -> None:
        answer = await client.post(f"/v1/workflows?{query}", content=b"jobs: {}", headers=YAML)
        assert (answer.status_code, answer.json()["detail"]) == (400, detail)

    async def test_what_is_not_utf8_is_said(self, client: Client) -> None:
        answer = await client.post("/v1/workflows", content=b"a: \xff", headers=YAML)
        assert answer.status_code == 400
        assert answer.json()["detail"] == "the workflow file is not UTF-8 text: byte 3 is 0xff"


class TestSubmitRefused:
    async def test_other_media_types(self, client: Client) -> None:
        answer = await client.post("/v1/workflows", content=b"<a/>", headers={"content-type": "application/xml"})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")

    async def test_a_file_of_more_than_a_mebibyte(self, client: Client) -> None:
        answer = await client.post("/v1/workflows", content=b"#" * (1024 * 1024 + 1), headers=YAML)
        assert (answer.status_code, answer.json()["code"]) == (413, "workflow-too-large")
        assert answer.json()["detail"] == (
            "the workflow file has 1048577 bytes, the most is 1048576; move data out of it, or split it"
        )

    async def test_a_body_that_no_workflow_needs(self, client: Client) -> None:
        answer = await client.post("/v1/workflows", content=b"#" * 5_000_000, headers=YAML)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
        assert answer.json()["detail"] == "the body is larger than 4194304 bytes, the most that is taken here"

    async def test_a_workflow_with_errors(self, client: Client, submissions: SubmissionsInMemory) -> None:
        diagnostic = {"code": "WF1102", "severity": "error", "message": "unknown key `job`"}
        submissions.error = InvalidWorkflow("w.yaml:1:1: unknown key `job`", {"errors": [diagnostic]})
        answer = await client.post("/v1/workflows", json={"yaml": "job: {}"})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "urn:waterflow:problem:invalid-workflow",
            "title": "Unprocessable Entity",
            "status": 422,
            "code": "invalid-workflow",
            "detail": "w.yaml:1:1: unknown key `job`",
            "instance": "/v1/workflows",
            "errors": [diagnostic],
        }

    async def test_an_idempotency_key_of_another_submission(
        self, client: Client, submissions: SubmissionsInMemory
    ) -> None:
        submissions.error = IdempotencyConflict("the idempotency key 'k' was used before")
        answer = await client.post("/v1/workflows", json={"yaml": "jobs: {}", "idempotency_key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-conflict")


class TestList:
    async def test_filters_reach_the_service(self, client: Client, runs: RunsInMemory) -> None:
        answer = await client.get("/v1/workflows?state=running&state=failed&name=deploy&label=a&limit=5")
        assert answer.json() == {"items": []}
        query = RunQuery(states=[State.RUNNING, State.FAILED], name="deploy", label="a")
        assert runs.asked == [("list", query, 5, None)]

    async def test_by_who_when_and_text(self, client: Client, runs: RunsInMemory) -> None:
        await client.get(
            "/v1/workflows?started_by=ann&since=2026-11-21T10:00:00Z&until=2026-11-21T10:00:00%2B01:00&text=dep"
        )
        until = datetime(2026, 11, 21, 10, 0, tzinfo=timezone(timedelta(hours=1)))
        assert runs.asked == [("list", RunQuery(started_by="ann", since=TIME, until=until, text="dep"), 100, None)]

    async def test_a_time_needs_a_zone(self, client: Client) -> None:
        answer = await client.get("/v1/workflows?since=2026-11-21T10:00:00")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-query")
        assert answer.json()["detail"] == "since=2026-11-21T10:00:00 needs a time zone, such as Z for UTC"

    async def test_the_cursor_of_a_page_leads_to_the_next(self, client: Client, runs: RunsInMemory) -> None:
        runs.next = "token"
        cursor = (await client.get("/v1/workflows")).json()["next"]
        await client.get("/v1/workflows", params={"cursor": cursor})
        assert runs.asked[-1] == ("list", RunQuery(), 100, "token")

    @pytest.mark.parametrize("cursor", ["", "x", "0123456789abcdef"])
    async def test_a_cursor_that_was_not_given_out_is_refused(
        self, client: Client, runs: RunsInMemory, cursor: str
    ) -> None:
        answer = await client.get("/v1/workflows", params={"cursor": cursor})
        assert answer.status_code == 400
        assert answer.json()["detail"] == "the cursor is not one that this list gave out; leave it out to start again"
        assert runs.asked == []

    @pytest.mark.parametrize(
        ("query", "detail"),
        [
            ("state=gone", f"state: 'gone' is none of {ALL_STATES}"),
            ("state=runing", f"state: 'runing' is none of {ALL_STATES}; did you mean 'running'?"),
            ("state=failed&state=runing", f"state: 'runing' is none of {ALL_STATES}; did you mean 'running'?"),
            ("limit=0", "limit: Expected `int` >= 1"),
            ("limit=1001", "limit: Expected `int` <= 1000"),
            ("stat=failed", "unknown query parameter 'stat'; did you mean 'state'?"),
        ],
    )
    async def test_a_wrong_parameter_is_said(self, client: Client, query: str, detail: str) -> None:
        answer = await client.get(f"/v1/workflows?{query}")
        assert (answer.status_code, answer.json()["detail"]) == (400, detail)


class TestGet:
    @pytest.mark.parametrize(("query", "full"), [("", False), ("?view=summary", False), ("?view=full", True)])
    async def test_the_view(self, client: Client, runs: RunsInMemory, query: str, full: bool) -> None:
        runs.states["r1"] = run()
        answer = await client.get(f"/v1/workflows/r1{query}")
        assert answer.json() == {"id": "r1", "name": "deploy", "state": "running"}
        assert runs.asked == [("get", "r1", full)]

    async def test_a_run_that_is_not_there(self, client: Client) -> None:
        answer = await client.get("/v1/workflows/nope")
        assert (answer.status_code, answer.json()["code"]) == (404, "run-not-found")
        assert answer.json()["detail"] == "there is no run 'nope'"

    async def test_at_a_moment_of_the_past(self, client: Client, runs: RunsInMemory) -> None:
        ended = TIME + timedelta(minutes=5)
        runs.states["r1"] = RunState(id="r1", name="deploy", state=State.FAILED, submitted=TIME, ended=ended)
        answer = await client.get("/v1/workflows/r1?at=2026-11-21T10:01:00Z")
        assert answer.json() == {
            "id": "r1",
            "name": "deploy",
            "state": "queued",
            "submitted": "2026-11-21T10:00:00Z",
        }

    @pytest.mark.parametrize(
        ("at", "detail"),
        [
            ("2026-11-21T09:59:59Z", "run r1 was submitted only at 2026-11-21T10:00:00+00:00"),
            ("2026-11-21T10:01:00", "at=2026-11-21T10:01:00 needs a time zone, such as Z for UTC"),
        ],
    )
    async def test_a_moment_that_cannot_be(self, client: Client, runs: RunsInMemory, at: str, detail: str) -> None:
        runs.states["r1"] = RunState(id="r1", name="deploy", state=State.RUNNING, submitted=TIME)
        answer = await client.get(f"/v1/workflows/r1?at={at}")
        assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (400, "invalid-query", detail)


class TestDefinition:
    async def test_it_is_the_file_as_submitted(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run()
        answer = await client.get("/v1/workflows/r1/definition")
        assert (answer.status_code, answer.text) == (200, "jobs: {}\n")
        assert answer.headers["content-type"].startswith("application/yaml")
        assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''%C3%A9t%C3%A9.yaml"


class TestOutputs:
    async def test_of_the_run_and_of_the_jobs_that_have_any(self, client: Client, runs: RunsInMemory) -> None:
        jobs = [
            JobState(id="a", instance="a[x]", name="a", state=State.SUCCESS, outputs={"n": 1}),
            JobState(id="b", instance="b", name="b", state=State.SUCCESS),
        ]
        runs.states["r1"] = RunState(id="r1", name="deploy", state=State.SUCCESS, outputs={"url": "u"}, jobs=jobs)
        answer = await client.get("/v1/workflows/r1/outputs")
        assert answer.json() == {"outputs": {"url": "u"}, "jobs": {"a[x]": {"n": 1}}}


class TestForget:
    async def test_run_and_log_are_gone(self, client: Client, runs: RunsInMemory, services: Services) -> None:
        runs.states["r1"] = run(State.FAILED)
        line = b'{"time":"2026-11-21T10:00:00Z","stream":"stdout"}\n'
        await client.put("/v1/logs/r1/deploy/steps[0].1?offset=0&agent=web-01", content=line)
        answer = await client.delete("/v1/workflows/r1")
        assert (answer.status_code, answer.content) == (204, b"")
        assert await services.logs.stream_sizes("r1") == {}
        assert (await client.delete("/v1/workflows/r1")).json()["code"] == "run-not-found"

    async def test_not_while_it_lives(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run()
        answer = await client.delete("/v1/workflows/r1")
        assert (answer.status_code, answer.json()["code"]) == (409, "run-not-ended")
        assert "r1" in runs.states


class TestCancel:
    async def test_without_a_body(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run()
        answer = await client.post("/v1/workflows/r1/cancel")
        assert (answer.status_code, answer.content) == (202, b"")
        assert runs.asked[-1] == ("cancel", "r1", "", False)

    async def test_with_reason_and_force(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run()
        await client.post("/v1/workflows/r1/cancel", json={"reason": "wrong branch", "force": True})
        assert runs.asked[-1] == ("cancel", "r1", "wrong branch", True)

    async def test_a_run_that_has_ended(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run(State.SUCCESS)
        answer = await client.post("/v1/workflows/r1/cancel")
        assert (answer.status_code, answer.json()["code"]) == (409, "run-closed")
        assert answer.json()["detail"] == "run r1 has ended; there is nothing to cancel"
