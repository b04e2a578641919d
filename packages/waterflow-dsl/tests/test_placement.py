"""Placement: what the members of a job's target can run, and whether somebody is there."""

from __future__ import annotations

import pytest

from waterflow_dsl import Catalog, Diagnostic, NodeSignature, check
from waterflow_dsl.placement import Member, Placing, check_placings, describe, lacking
from waterflow_dsl.plan import TargetPlan

NODES = ("shell", "docker/exec", "slack/notify")
CATALOG = Catalog(
    nodes={name: NodeSignature(name=name, version="1.0.0") for name in NODES},
    groups=frozenset({"web", "db"}),
    agents=frozenset({"web-01", "web-02"}),
)
SHELL: dict[str, tuple[str, ...]] = {"shell": ()}
PLAIN = Member(name="web-01", nodes=SHELL)
DOCKER = Member(name="web-02", nodes={**SHELL, "docker/exec": ("docker 20",)}, capabilities={"docker": "28.2.2"})
OLD = Member(name="web-03", nodes={**SHELL, "docker/exec": ("docker 20",)}, capabilities={"docker": "19.3"})
BARE = Member(name="web-04", nodes={**SHELL, "docker/exec": ("docker 20",)})
SLACK = Member(name="web-05", nodes={**SHELL, "slack/notify": ()})
AWAY = Member(name="web-06", nodes=SHELL, away="offline since 10:14")
WEB = TargetPlan(groups=("web",))
ALL = TargetPlan(groups=("web",), all=True)

ECHO = "jobs: {a: {runs-on: web, steps: [run: echo]}}"
EXEC = "jobs: {a: {runs-on: web, steps: [uses: docker/exec]}}"
BOTH = "jobs: {a: {runs-on: web, steps: [uses: docker/exec, uses: slack/notify]}}".replace(
    "[uses: docker/exec, uses: slack/notify]", "[{uses: docker/exec}, {uses: slack/notify}]"
)
WAIT = "jobs: {a: {runs-on: web, offline: {wait: 2h}, steps: [run: echo]}}"
SKIP = "jobs: {a: {runs-on: web, offline: skip, steps: [run: echo]}}"
SLEEP = "jobs: {a: {runs-on: web, steps: [{uses: sleep, with: {duration: 1}}]}}"


def found(file: str, members: tuple[Member, ...], target: TargetPlan = WEB, *, certain: bool = True) -> list[str]:
    result = check(file, catalog=CATALOG)
    assert result.plan is not None, result.diagnostics
    placing = Placing(job="a", target=target, members=members, certain=certain)
    return [_shown(each) for each in check_placings(result, [placing], CATALOG)]


def _shown(found: Diagnostic) -> str:
    hint = f" ({found.hint})" if found.hint else ""
    return f"{found.line}:{found.column} {found.code} {found.severity}: {found.message}{hint}"


INSTALL = "(install it there, or let the job run elsewhere)"
EVERY = "(every member runs the job because of `target: all`)"


class TestNodes:
    @pytest.mark.parametrize(
        ("file", "members", "target", "expected"),
        [
            pytest.param(EXEC, (PLAIN, DOCKER), WEB, [], id="one member is enough"),
            pytest.param(
                EXEC,
                (PLAIN, SLACK),
                WEB,
                [
                    "1:40 WF1706 error: no member of the group `web` can run `docker/exec`: web-01 lacks the node "
                    f"`docker/exec`, web-05 lacks the node `docker/exec` {INSTALL}"
                ],
                id="nobody has it",
            ),
            pytest.param(
                EXEC,
                (OLD, BARE),
                WEB,
                [
                    "1:40 WF1705 error: no member of the group `web` can run `docker/exec`: web-03 has docker 19.3 "
                    f"instead of docker 20, web-04 has no `docker 20` {INSTALL}"
                ],
                id="everybody has it and lacks a capability",
            ),
            pytest.param(
                EXEC,
                (PLAIN,),
                TargetPlan(agent="web-01"),
                [
                    "1:40 WF1706 error: the agent `web-01` cannot run `docker/exec`: "
                    f"web-01 lacks the node `docker/exec` {INSTALL}"
                ],
                id="one agent",
            ),
            pytest.param(
                EXEC,
                (PLAIN, DOCKER),
                ALL,
                [
                    "1:40 WF1708 warning: `docker/exec` will fail on some members of the group `web`: web-01 lacks the "
                    f"node `docker/exec` {EVERY}"
                ],
                id="target all, and one lacks it",
            ),
            pytest.param(
                BOTH,
                (DOCKER, SLACK),
                WEB,
                [
                    "1:21 WF1707 error: no member of the group `web` can run all steps of the job: web-02 lacks the "
                    "node `slack/notify`, web-05 lacks the node `docker/exec` "
                    "(one host runs all steps of a job: split it, or add what is missing)"
                ],
                id="each has one of them",
            ),
        ],
    )
    def test_are_where_the_job_runs(
        self, file: str, members: tuple[Member, ...], target: TargetPlan, expected: list[str]
    ) -> None:
        assert found(file, members, target) == expected


class TestOnline:
    HINT = "(start an agent there, or write `offline: {wait: 2h}` or `offline: skip`)"

    @pytest.mark.parametrize(
        ("file", "members", "expected"),
        [
            pytest.param(ECHO, (AWAY, PLAIN), [], id="one is online"),
            pytest.param(SLEEP, (AWAY,), [], id="no agent is needed"),
            pytest.param(
                ECHO,
                (AWAY,),
                [
                    "1:21 WF1709 error: no member of the group `web` is online: web-06 offline since 10:14 " + HINT,
                ],
                id="fail",
            ),
            pytest.param(
                ECHO,
                (),
                ["1:21 WF1709 error: no member of the group `web` is online: nobody has registered there " + HINT],
                id="no members",
            ),
            pytest.param(
                WAIT,
                (AWAY,),
                [
                    "1:21 WF1710 warning: no member of the group `web` is online: web-06 offline since 10:14; "
                    "the job waits for one unless that changes"
                ],
                id="wait",
            ),
            pytest.param(
                SKIP,
                (AWAY,),
                [
                    "1:21 WF1710 warning: no member of the group `web` is online: web-06 offline since 10:14; "
                    "the job is skipped unless that changes"
                ],
                id="skip",
            ),
        ],
    )
    def test_follows_the_offline_policy(self, file: str, members: tuple[Member, ...], expected: list[str]) -> None:
        assert found(file, members) == expected

    def test_is_a_warning_where_the_job_may_not_start_now(self) -> None:
        assert found(ECHO, (AWAY,), certain=False) == [
            "1:21 WF1710 warning: no member of the group `web` is online: web-06 offline since 10:14; "
            "the job would fail unless that changes"
        ]


class TestNames:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            (TargetPlan(groups=("wep",)), "1:21 WF1701 error: unknown group `wep` (did you mean `web`?)"),
            (TargetPlan(agent="web-10"), "1:21 WF1703 error: unknown agent `web-10` (did you mean `web-01`?)"),
        ],
    )
    def test_that_expressions_gave_have_to_exist(self, target: TargetPlan, expected: str) -> None:
        assert found(ECHO, (), target) == [expected]


class TestDescribe:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            (WEB, "the group `web`"),
            (TargetPlan(groups=("a", "b"), tags=("ssd",)), "the groups `a`, `b` with the tag `ssd`"),
            (TargetPlan(tags=("linux", "gpu")), "all servers with the tags `linux`, `gpu`"),
            (TargetPlan(agent="x"), "the agent `x`"),
        ],
    )
    def test_in_words(self, target: TargetPlan, expected: str) -> None:
        assert describe(target) == expected


class TestLacking:
    @pytest.mark.parametrize(
        ("required", "version", "missing"),
        [
            ("node", "18.1.0", False),
            ("node 20", "18.1.0", True),
            ("node 20", "20.0.1", False),
            ("node>=20.1", "20.0.1", True),
            ("node >= 20", "24", False),
        ],
    )
    def test_versions_are_compared_by_number(self, required: str, version: str, missing: bool) -> None:
        assert lacking([required], {"node": version}) == ([required] if missing else [])

    def test_what_is_not_there(self) -> None:
        assert lacking(["docker", "git"], {"git": "2"}) == ["docker"]

    def test_a_name_may_end_in_digits(self) -> None:
        assert lacking(["cuda12", "s3"], {"cuda12": "12.4"}) == ["s3"]


DEPLOYER = Member(name="web-07", nodes=SHELL, capabilities={"run-as/deploy": "sudo"})
AS_DEPLOY = "jobs: {a: {runs-on: web, run-as: deploy, steps: [run: echo]}}"
AS_UNKNOWN = 'vars: {u: deploy}\njobs: {a: {runs-on: web, run-as: "${{ vars.u }}", steps: [run: echo]}}'
AS_BOTH = "jobs: {a: {runs-on: web, steps: [{run: echo}, {run: echo, run-as: deploy}]}}"


class TestRunAs:
    def test_one_member_that_may_is_enough(self) -> None:
        assert found(AS_DEPLOY, (PLAIN, DEPLOYER)) == []

    def test_nobody_may(self) -> None:
        assert found(AS_DEPLOY, (PLAIN, SLACK)) == [
            "1:55 WF1705 error: no member of the group `web` can run `shell` as `deploy`: web-01 may not run steps as "
            "`deploy`, web-05 may not run steps as `deploy` (add `deploy` to `nodes.run_as` there, or let the job run "
            "elsewhere)"
        ]

    def test_not_all_may(self) -> None:
        assert found(AS_DEPLOY, (PLAIN, DEPLOYER), ALL) == [
            "1:55 WF1708 warning: `shell` as `deploy` will fail on some members of the group `web`: web-01 may not run "
            f"steps as `deploy` {EVERY}"
        ]

    def test_steps_that_run_as_the_agent_ask_for_nothing(self) -> None:
        assert found(AS_BOTH, (PLAIN, DEPLOYER)) == []

    def test_a_user_that_is_not_known_yet_decides_nothing(self) -> None:
        assert found(AS_UNKNOWN, (PLAIN,)) == []
