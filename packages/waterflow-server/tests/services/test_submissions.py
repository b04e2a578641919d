"""Submissions: what is refused with which words, and what reaches the run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.secrets import AllowList, SecretSources, Segment
from waterflow_sdk.wire import AgentState, AgentStatus, NodeManifest, SubmitRequest, ValidateRequest
from waterflow_server.catalog import NodeCatalog
from waterflow_server.runs import Submission
from waterflow_server.secrets import SecretReferences, SecretsUnavailable, SecretsUnprotected
from waterflow_server.submissions import InvalidInputs, InvalidWorkflow, Submissions

SHELL = NodeManifest(name="shell", version="1.0.0")
PULL = NodeManifest(name="docker/pull", version="1.0.0", retry_safe=True)
FILE = """
name: deploy
on:
  manual:
    inputs:
      version: {type: string, required: true, description: what to deploy}
      dry: {type: boolean, default: false}
      count: {type: number}
      color: {type: choice, options: [blue, green]}
      data: {type: json}
vars: {app: shop}
secrets: {TOKEN: {required: true}}
jobs:
  deploy:
    runs-on: web
    steps:
      - run: echo ${{ vars.app }} ${{ inputs.version }}
"""


RING = KeyRing(active="k1", keys={"k1": bytes(32)})


def _secrets(ring: KeyRing | None) -> SecretReferences:
    sources = SecretSources(
        "the server", AllowList(["env:SHOP_*", "vault:secret/*"]), environ={"SHOP_TOKEN": "from-env", "HOME": "/root"}
    )
    return SecretReferences(PayloadCodec(ring), sources)


class Agents:
    """One agent in the group ``web``; a test may let another come."""

    def __init__(self) -> None:
        self.states = [self.agent("web-01", SHELL, PULL)]
        self.listed = 0

    def agent(self, name: str, *nodes: NodeManifest) -> AgentState:
        digests = {node.name: node.digest for node in nodes}
        return AgentState(id=name, name=name, status=AgentStatus.ONLINE, groups=["web"], nodes=digests)

    async def list(self) -> list[AgentState]:
        self.listed += 1
        return list(self.states)

    async def manifests(self, digests: set[str]) -> dict[str, NodeManifest]:
        return {node.digest: node for node in (SHELL, PULL) if node.digest in digests}


class Runs:
    """Remembers what was started."""

    def __init__(self) -> None:
        self.started: list[Submission] = []

    async def submit(self, submission: Submission) -> tuple[str, bool]:
        self.started.append(submission)
        return "r1", len(self.started) == 1


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def agents() -> Agents:
    return Agents()


@pytest.fixture
def submissions(runs: Runs, agents: Agents) -> Submissions:
    return Submissions(runs, NodeCatalog(agents), secrets=_secrets(RING))


def request(**given: Any) -> SubmitRequest:
    fields: dict[str, Any] = {"yaml": FILE, "inputs": {"version": "1"}, "secrets": {"TOKEN": "t"}}
    return SubmitRequest(**(fields | given))


class TestAccepted:
    async def test_everything_reaches_the_run(self, submissions: Submissions, runs: Runs) -> None:
        at = datetime(2026, 11, 21, tzinfo=UTC)
        answer = await submissions.submit(
            request(labels=["a", "b", "a"], idempotency_key="k", run_at=at, vars={"app": "blog"}), "ann"
        )
        assert (answer.id, answer.url, answer.created, answer.warnings) == ("r1", "/v1/workflows/r1", True, [])
        (started,) = runs.started
        assert started.plan.name == "deploy"
        assert started == Submission(
            plan=started.plan,
            vars={"app": "blog"},
            inputs={"version": "1"},
            secrets={"TOKEN": "t"},
            labels=["a", "b"],
            started_by="ann",
            idempotency_key="k",
            run_at=at,
            retry_safe=["docker/pull"],
            source=request().yaml,
            filename="workflow.yaml",
        )

    async def test_the_same_key_again_is_not_a_new_run(self, submissions: Submissions) -> None:
        await submissions.submit(request(idempotency_key="k"), "ann")
        assert not (await submissions.submit(request(idempotency_key="k"), "ann")).created

    @pytest.mark.parametrize(
        ("given", "value"),
        [
            ({"dry": "true"}, {"dry": True}),
            ({"dry": False}, {"dry": False}),
            ({"count": "5"}, {"count": 5}),
            ({"count": 2.5}, {"count": 2.5}),
            ({"color": "blue"}, {"color": "blue"}),
            ({"data": '{"a": [1]}'}, {"data": {"a": [1]}}),
            ({"data": [1]}, {"data": [1]}),
            ({"data": "free text"}, {"data": "free text"}),
            ({"version": 12}, {"version": "12"}),
            ({"dry": None}, {}),
        ],
    )
    async def test_inputs_become_what_they_are_declared_as(
        self, submissions: Submissions, runs: Runs, given: dict[str, Any], value: dict[str, Any]
    ) -> None:
        await submissions.submit(request(inputs={"version": "1"} | given), "ann")
        assert runs.started[0].inputs == {"version": "1"} | value

    async def test_a_variable_that_the_file_uses_counts_as_declared(self, submissions: Submissions, runs: Runs) -> None:
        await submissions.submit(request(yaml=FILE + "      - run: echo ${{ vars.extra }}\n", vars={"extra": 1}), "ann")
        assert runs.started[0].vars == {"extra": 1}


class TestRefused:
    async def test_an_invalid_file_with_all_its_diagnostics(self, submissions: Submissions, runs: Runs) -> None:
        text = FILE.replace("runs-on: web", "runs-on: wep").replace("run: echo", "uses: shel\n        run: echo")
        with pytest.raises(InvalidWorkflow) as caught:
            await submissions.submit(request(yaml=text, filename="d.yaml"), "ann")
        assert caught.value.message.startswith("d.yaml:15:")
        assert all(error["severity"] and error["line"] for error in caught.value.details["errors"])
        assert runs.started == []

    async def test_a_group_that_is_not_there_names_the_nearest(self, submissions: Submissions) -> None:
        with pytest.raises(InvalidWorkflow, match="did you mean `web`") as caught:
            await submissions.submit(request(yaml=FILE.replace("runs-on: web", "runs-on: wep")), "ann")
        assert "wep" in caught.value.message

    async def test_a_node_that_is_not_there_names_the_nearest(self, submissions: Submissions) -> None:
        text = FILE.replace("- run: echo ${{ vars.app }} ${{ inputs.version }}", "- uses: docker/pul")
        with pytest.raises(InvalidWorkflow, match="did you mean `docker/pull`"):
            await submissions.submit(request(yaml=text), "ann")

    @pytest.mark.parametrize(
        ("given", "path", "message"),
        [
            ({"inputs": {}}, "inputs.version", "input 'version' is required: what to deploy"),
            (
                {"inputs": {"version": "1", "colour": "blue"}},
                "inputs.colour",
                "the workflow has no input 'colour'; did you mean 'color'?",
            ),
            (
                {"inputs": {"version": "1", "color": "red"}},
                "inputs.color",
                "input 'color' is 'red'; it has to be one of blue, green",
            ),
            (
                {"inputs": {"version": "1", "dry": "perhaps"}},
                "inputs.dry",
                "input 'dry' is 'perhaps'; it has to be true or false",
            ),
            (
                {"inputs": {"version": "1", "count": True}},
                "inputs.count",
                "input 'count' is True; it has to be a number",
            ),
            (
                {"inputs": {"version": "1", "count": "five"}},
                "inputs.count",
                "input 'count' is 'five'; it has to be a number",
            ),
            ({"inputs": {"version": ["1"]}}, "inputs.version", "input 'version' is ['1']; it has to be text"),
            ({"vars": {"aqq": 1}}, "vars.aqq", "the workflow has no variable 'aqq'"),
            ({"vars": {"appp": 1}}, "vars.appp", "the workflow has no variable 'appp'; did you mean 'app'?"),
            ({"secrets": {}}, "secrets.TOKEN", "secret 'TOKEN' is required"),
            ({"secrets": {"TOKEN": ""}}, "secrets.TOKEN", "secret 'TOKEN' is required"),
            (
                {"secrets": {"TOKEN": "t", "TOKENS": "u"}},
                "secrets.TOKENS",
                "the workflow has no secret 'TOKENS'; did you mean 'TOKEN'?",
            ),
            ({"labels": ["a\nb"]}, "labels[0]", "label 'a\\nb' has to be text of 1 to 100 characters without quotes"),
            (
                {"labels": ["x" * 90 + str(n) for n in range(20)]},
                "labels",
                "there are too many labels: at most 50, and 1500 bytes together",
            ),
            (
                {"filename": "a\x1b[2J"},
                "filename",
                "the file name has to have 1 to 255 characters, without control characters",
            ),
            (
                {"run_at": datetime(2026, 11, 21)},
                "run_at",
                "run_at 2026-11-21T00:00:00 needs a time zone, such as Z",
            ),
            ({"idempotency_key": ""}, "idempotency_key", "the idempotency key has to have 1 to 256 characters"),
        ],
    )
    async def test_what_the_run_gets(
        self, submissions: Submissions, runs: Runs, given: dict[str, Any], path: str, message: str
    ) -> None:
        with pytest.raises(InvalidInputs) as caught:
            await submissions.submit(request(**given), "ann")
        (error,) = caught.value.details["errors"]
        assert (error["path"], error["message"]) == (path, message)
        assert runs.started == []

    async def test_secrets_that_nothing_would_encrypt(self, runs: Runs, agents: Agents) -> None:
        submissions = Submissions(runs, NodeCatalog(agents), secrets=_secrets(None))
        with pytest.raises(SecretsUnprotected) as caught:
            await submissions.submit(request(), "ann")
        assert caught.value.message == (
            "secrets are refused: this server has no key to encrypt them with. Give it a key file "
            "(WATERFLOW_KEYS_FILE), the same as the agents have"
        )

    async def test_a_secret_is_never_in_the_message(self, submissions: Submissions) -> None:
        with pytest.raises(InvalidInputs) as caught:
            await submissions.submit(request(secrets={"TOKEN": "t", "OTHER": "v3ry-s3cret"}), "ann")
        assert "v3ry-s3cret" not in f"{caught.value.message} {caught.value.details}"


class TestReferences:
    """Secrets that say where they are read."""

    def file(self, source: str) -> str:
        return FILE.replace("{TOKEN: {required: true}}", f"{{TOKEN: {{required: true, {source}}}}}")

    async def test_the_servers_own_are_read_at_the_submit(self, submissions: Submissions, runs: Runs) -> None:
        await submissions.submit(request(yaml=self.file('from: "env:SHOP_TOKEN", on: server'), secrets={}), "ann")
        assert runs.started[0].secrets == {"TOKEN": "from-env"}

    async def test_those_of_agents_become_segments(self, submissions: Submissions, runs: Runs) -> None:
        await submissions.submit(request(yaml=self.file('from: "env:SHOP_TOKEN"'), secrets={}), "ann")
        segment = runs.started[0].secrets["TOKEN"]
        assert Segment.open(segment, PayloadCodec(RING)) == Segment("TOKEN", "env:SHOP_TOKEN")
        assert "SHOP" not in segment

    async def test_what_is_given_goes_before(self, submissions: Submissions, runs: Runs) -> None:
        await submissions.submit(request(yaml=self.file('from: "env:NONE"'), secrets={"TOKEN": "mine"}), "ann")
        assert runs.started[0].secrets == {"TOKEN": "mine"}

    @pytest.mark.parametrize(
        ("source", "code", "message"),
        [
            (
                "env:HOME",
                "secret-not-allowed",
                "secret 'TOKEN': the server may not read env:HOME; its setting secrets.allow does not list it",
            ),
            (
                "env:SHOP_OTHER",
                "secret-missing",
                "secret 'TOKEN': env:SHOP_OTHER: the server has no such environment variable",
            ),
        ],
    )
    async def test_one_that_cannot_be_had(
        self, submissions: Submissions, runs: Runs, source: str, code: str, message: str
    ) -> None:
        with pytest.raises(InvalidInputs) as caught:
            await submissions.submit(request(yaml=self.file(f'from: "{source}", on: server'), secrets={}), "ann")
        assert caught.value.details["errors"] == [{"path": "secrets.TOKEN", "code": code, "message": message}]
        assert runs.started == []

    async def test_a_vault_that_cannot_be_asked(self, submissions: Submissions) -> None:
        with pytest.raises(SecretsUnavailable) as caught:
            await submissions.submit(request(yaml=self.file('from: "vault:secret/a#b", on: server'), secrets={}), "ann")
        assert caught.value.message == (
            "secret 'TOKEN': vault:secret/a#b: the server knows no Vault; set vault.address"
        )

    async def test_nothing_would_seal_the_segment(self, runs: Runs, agents: Agents) -> None:
        submissions = Submissions(runs, NodeCatalog(agents), secrets=_secrets(None))
        with pytest.raises(SecretsUnprotected):
            await submissions.submit(request(yaml=self.file('from: "env:SHOP_TOKEN"'), secrets={}), "ann")


class TestFreshness:
    async def test_a_node_that_has_just_come_is_known_at_once(self, submissions: Submissions, agents: Agents) -> None:
        agents.states = []
        text = FILE.replace("runs-on: web", "runs-on: late")
        assert not (await submissions.validate(ValidateRequest(yaml=text))).valid
        late = AgentState(id="l", name="l", status=AgentStatus.ONLINE, groups=["late"], nodes={"shell": SHELL.digest})
        agents.states = [late]
        assert (await submissions.validate(ValidateRequest(yaml=text))).valid

    async def test_a_valid_file_does_not_ask_again(self, submissions: Submissions, agents: Agents) -> None:
        for _ in range(5):
            await submissions.validate(ValidateRequest(yaml=FILE))
        assert agents.listed == 1


class TestValidate:
    async def test_a_valid_file_has_a_plan(self, submissions: Submissions) -> None:
        answer = await submissions.validate(ValidateRequest(yaml=FILE))
        assert answer.valid
        assert answer.diagnostics == []
        assert len(answer.plan_hash or "") == 64

    async def test_an_invalid_one_has_diagnostics(self, submissions: Submissions) -> None:
        answer = await submissions.validate(ValidateRequest(yaml="jobs: 1", filename="a.yaml"))
        assert not answer.valid
        assert answer.plan_hash is None
        assert [each["file"] for each in answer.diagnostics] == ["a.yaml"]
