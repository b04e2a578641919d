"""Which agents a run asks for secrets before it starts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from waterflow_dsl import Catalog, NodeSignature, check
from waterflow_dsl.plan import Plan, encode_plan
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.secrets import make_segment
from waterflow_sdk.wire import AgentRef, AgentState, AgentStatus, JobState, State
from waterflow_server.engine._wire import ResumePoint, RunInput
from waterflow_server.planning import demands_of

CODEC = PayloadCodec(KeyRing(active="k1", keys={"k1": bytes(32)}))
S, T = make_segment("S", "env:S", CODEC), make_segment("T", "env:T", CODEC)
NAMES = {S: "S", T: "T"}
SHELL = NodeSignature(name="shell", version="1.0.0")
CATALOG = Catalog(nodes={"shell": SHELL}, groups=frozenset({"web", "db", "none"}))


def agent(name: str, *groups: str, **changes: Any) -> AgentState:
    given: dict[str, Any] = {"id": f"id-{name}", "name": name, "status": AgentStatus.ONLINE, "groups": list(groups)}
    return AgentState(**given | changes)


AGENTS = [
    agent("db-01", "db", capabilities={"docker": "28.2.2"}),
    agent("web-01", "web"),
    agent("web-02", "web"),
    agent("web-03", "web", status=AgentStatus.CORDONED),
    agent("web-04", "web", status=AgentStatus.OFFLINE),
]

Asked = tuple[str, list[str], list[str], bool]
"""A demand in short: the job, the secrets, the agents, and whether each of them must have them."""


def plan_of(text: str) -> Plan:
    plan = check(text, catalog=CATALOG).plan
    assert plan is not None
    return plan


def asked(text: str, called: dict[str, str] | None = None, **run: Any) -> list[Asked]:
    """Whom a run of the file asks for what."""
    plan = plan_of("secrets: {S: {from: 'env:S'}, T: {from: 'env:T'}}\n" + text)
    plans = {key: plan_of(each) for key, each in (called or {}).items()}
    given: dict[str, Any] = {"id": "r1", "submitted": datetime.now(UTC), "secrets": {"S": S, "T": T, "GIVEN": "g"}}
    found = demands_of(RunInput(plan=msgspec.Raw(encode_plan(plan)), **given | run), plan, plans, AGENTS)
    return [
        (
            demand.job,
            [NAMES[segment] for segment in demand.segments],
            [found.agents[place].name for place in demand.agents],
            demand.every,
        )
        for demand in found.demands
    ]


USE = "steps: [{run: use, env: {V: '${{ secrets.S }}'}}]"
WEB = ["web-01", "web-02"]


class TestTargets:
    @pytest.mark.parametrize(
        ("runs_on", "agents", "every"),
        [
            ("web", WEB, False),
            ("{group: web, target: all}", WEB, True),
            ("{agent: web-02}", ["web-02"], True),
            ("{group: [web, db]}", ["db-01", "web-01", "web-02"], False),
            ("all-servers", ["db-01", "web-01", "web-02"], True),
            ("[docker]", ["db-01"], False),
        ],
    )
    def test_those_that_may_get_the_job_and_take_work_now(self, runs_on: str, agents: list[str], every: bool) -> None:
        assert asked(f"jobs: {{a: {{runs-on: {runs_on}, {USE}}}}}") == [("a", ["S"], agents, every)]

    def test_a_group_may_mean_every_member(self) -> None:
        assert asked(f"jobs: {{a: {{runs-on: web, {USE}}}}}", target_all=["web"]) == [("a", ["S"], WEB, True)]

    @pytest.mark.parametrize("runs_on", ["none", "{agent: web-03}", "{agent: web-04}"])
    def test_nobody_where_nobody_takes_work(self, runs_on: str) -> None:
        assert asked(f"jobs: {{a: {{runs-on: {runs_on}, {USE}}}}}") == []

    def test_what_an_input_decides_is_known(self) -> None:
        text = f"on: {{manual: {{inputs: {{g: {{}}}}}}}}\njobs: {{a: {{runs-on: '${{{{ inputs.g }}}}', {USE}}}}}"
        assert asked(text, inputs={"g": "db"}) == [("a", ["S"], ["db-01"], False)]

    def test_what_another_job_decides_is_not(self) -> None:
        first = "first: {runs-on: web, outputs: {g: '${{ steps.x.outputs.g }}'}, steps: [{id: x, run: x}]}"
        second = f"second: {{needs: first, runs-on: '${{{{ needs.first.outputs.g }}}}', {USE}}}"
        assert asked(f"jobs: {{{first}, {second}}}") == []


class TestSecrets:
    @pytest.mark.parametrize(
        ("fields", "names"),
        [
            ("steps: [{run: x}]", []),
            ("steps: [{run: x, env: {V: '${{ secrets.GIVEN }}'}}]", []),
            ("steps: [{run: 'x ${{ secrets.t }}'}, {run: y, env: {V: '${{ secrets.S }}'}}]", ["S", "T"]),
            ("env: {V: '${{ secrets.S }}'}, steps: [{run: x}]", ["S"]),
            ("steps: [{run: x}], finally: [{run: 'y ${{ secrets.T }}'}]", ["T"]),
            ("steps: [{uses: approval, with: {message: 'Go? ${{ secrets.S }}'}}]", []),
        ],
        ids=["none", "given", "two", "environment", "finally", "no-agent"],
    )
    def test_those_that_the_job_reads_on_an_agent(self, fields: str, names: list[str]) -> None:
        expected = [("a", names, WEB, False)] if names else []
        assert asked(f"jobs: {{a: {{runs-on: web, {fields}}}}}") == expected

    def test_the_environment_of_the_file_is_that_of_every_job(self) -> None:
        text = "env: {V: '${{ secrets.T }}'}\njobs: {a: {runs-on: web, steps: [{run: x}]}}"
        assert asked(text) == [("a", ["T"], WEB, False)]

    def test_what_somebody_gave_that_looks_like_a_segment_is_left_to_the_step(self) -> None:
        assert asked(f"jobs: {{a: {{runs-on: web, {USE}}}}}", secrets={"S": "wfsecret: mine"}) == []


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "counts"),
        [("inputs.go", False), ("failure()", False), ("always()", True), ("now() > '2026'", True)],
    )
    def test_a_job_that_is_certain_not_to_run_asks_nobody(self, condition: str, counts: bool) -> None:
        inputs = "on: {manual: {inputs: {go: {type: boolean, default: false}}}}"
        text = f'{inputs}\njobs: {{a: {{runs-on: web, if: "{condition}", {USE}}}}}'
        assert bool(asked(text)) is counts

    def test_one_that_runs_after_a_failure_may_run(self) -> None:
        text = f"jobs: {{a: {{runs-on: db, steps: [{{run: x}}]}}, b: {{needs: a, if: failure(), runs-on: web, {USE}}}}}"
        assert asked(text) == [("b", ["S"], WEB, False)]

    @pytest.mark.parametrize(("event", "counts"), [({}, True), ({"name": "schedule"}, False)])
    def test_what_started_the_run_is_known(self, event: dict[str, str], counts: bool) -> None:
        text = f"jobs: {{a: {{runs-on: web, if: github.event_name != 'schedule', {USE}}}}}"
        assert bool(asked(text, event=event)) is counts


CALLED = """
on: {call: {inputs: {where: {default: web}, go: {type: boolean, default: true}}, secrets: {KEY: {}}}}
jobs:
  use:
    if: inputs.go
    runs-on: ${{ inputs.where }}
    steps: [{run: x, env: {V: "${{ secrets.KEY }}"}}]
"""


class TestCalled:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ("secrets: {KEY: 'a-${{ secrets.S }}'}", [("call/use", ["S"], WEB, False)]),
            ("secrets: {KEY: '${{ secrets.T }}'}, with: {where: db}", [("call/use", ["T"], ["db-01"], False)]),
            ("secrets: {KEY: '${{ secrets.S }}'}, with: {go: false}", []),
            ("secrets: {KEY: plain}", []),
            (
                "strategy: {matrix: {g: [web, db]}}, with: {where: '${{ matrix.g }}'}, "
                "secrets: {KEY: '${{ secrets.S }}'}",
                [],
            ),
        ],
        ids=["renamed", "input", "not-run", "none-passed", "matrix"],
    )
    def test_gets_its_secrets_from_its_caller(self, fields: str, expected: list[Asked]) -> None:
        assert asked(f"jobs: {{call: {{uses: ./c.yaml, {fields}}}}}", {"c.yaml": CALLED}) == expected

    def test_inherits_all(self) -> None:
        called = "on: {call: {}}\njobs: {use: {runs-on: web, steps: [{run: 'x ${{ secrets.T }}'}]}}"
        text = "jobs: {call: {uses: ./c.yaml, secrets: inherit}}"
        assert asked(text, {"c.yaml": called}) == [("call/use", ["T"], WEB, False)]


def kept(*instances: str) -> dict[str, JobState]:
    return {each: JobState(id=each, instance=each, name=each, state=State.SUCCESS) for each in instances}


class TestRetries:
    ALL = f"jobs: {{a: {{runs-on: {{group: web, target: all}}, {USE}}}}}"
    ANY = f"jobs: {{a: {{runs-on: web, {USE}}}}}"

    def test_a_job_that_is_kept_asks_nobody(self) -> None:
        assert asked(self.ANY, kept=kept("a")) == []

    def test_only_the_hosts_that_are_not_kept(self) -> None:
        assert asked(self.ALL, kept=kept("a[web-01]")) == [("a", ["S"], ["web-02"], True)]

    def test_the_host_that_a_job_goes_on_at(self) -> None:
        point = ResumePoint(agent=AgentRef(id="id-web-02", name="web-02"))
        assert asked(self.ANY, resume={"a": point}) == [("a", ["S"], ["web-02"], True)]

    def test_what_runs_anew_as_the_first_time(self) -> None:
        assert asked(self.ANY, kept=kept("other")) == [("a", ["S"], WEB, False)]

    def test_a_called_workflow_whose_jobs_are_kept(self) -> None:
        text = "jobs: {call: {uses: ./c.yaml, secrets: {KEY: '${{ secrets.S }}'}}}"
        assert asked(text, {"c.yaml": CALLED}, kept=kept("call/use")) == []
        assert asked(text, {"c.yaml": CALLED}, kept=kept("call")) == []
        assert asked(text, {"c.yaml": CALLED}, kept=kept("other")) == [("call/use", ["S"], WEB, False)]
