"""Why a step cannot run as somebody: whole messages, before the run where it is certain."""

from __future__ import annotations

import pytest

from waterflow_sdk.client import InvalidWorkflow
from waterflow_sdk.wire import ErrorInfo, State

from .conftest import Deputies

pytestmark = pytest.mark.asyncio(loop_scope="session")


def as_user(user: str, group: str = "deputy") -> str:
    return f"jobs: {{a: {{runs-on: {group}, steps: [{{run: id, run-as: {user}}}]}}}}"


async def refused(deputies: Deputies, user: str, group: str = "deputy") -> ErrorInfo:
    """The error of a step whose user is known only when it runs."""
    state = await deputies.site.run(
        f"""
        vars: {{user: {user}}}
        jobs: {{a: {{runs-on: {group}, steps: [{{run: id, run-as: "${{{{ vars.user }}}}"}}]}}}}
        """
    )
    error = state.jobs[0].steps[0].attempts[0].error
    assert state.state is State.FAILED
    assert error is not None
    return error


class TestBeforeTheRun:
    async def test_nobody_may(self, deputies: Deputies) -> None:
        with pytest.raises(InvalidWorkflow) as raised:
            await deputies.site.submit(as_user("nobody", "plain"))
        assert [each["message"] for each in raised.value.diagnostics] == [
            "no member of the group `plain` can run `shell` as `nobody`: plain may not run steps as `nobody`"
        ]

    async def test_a_user_that_the_host_does_not_have(self, deputies: Deputies) -> None:
        with pytest.raises(InvalidWorkflow) as raised:
            await deputies.site.submit(as_user("no-such-user"))
        assert "may not run steps as `no-such-user`" in raised.value.diagnostics[0]["message"]

    async def test_the_agent_says_whom_it_may_become(self, deputies: Deputies) -> None:
        agent = await deputies.site.client.agent("deputy")
        assert {name: how for name, how in agent.capabilities.items() if name.startswith("run-as/")} == {
            "run-as/daemon": "self",
            "run-as/nobody": "sudo",
            "run-as/games": "sudo",
            "run-as/mail": "sudo",
        }

    async def test_a_dry_run_shows_it(self, deputies: Deputies) -> None:
        plan = await deputies.site.client.plan(as_user("nobody"), dry_run=True)
        assert plan.jobs[0].instances[0].steps[0].run_as == "nobody"


class TestAtTheStep:
    async def test_a_user_that_is_not_listed(self, deputies: Deputies) -> None:
        error = await refused(deputies, "nobody", "plain")
        assert (error.code, error.message) == (
            "run-as-not-allowed",
            "this agent may not run steps as 'nobody': its setting `nodes.run_as` lists no user; add 'nobody' there "
            "(agent.yaml, `nodes: {run_as: [nobody]}`) and restart the agent",
        )

    async def test_a_user_that_the_host_does_not_have(self, deputies: Deputies) -> None:
        error = await refused(deputies, "no-such-user")
        assert (error.code, error.message) == (
            "run-as-unknown-user",
            "there is no user 'no-such-user' on this host; create it, or correct `run-as`",
        )

    async def test_no_rule_of_sudo(self, deputies: Deputies) -> None:
        error = await refused(deputies, "mail")
        assert (error.code, error.message) == (
            "run-as-refused",
            "sudo does not let 'daemon' run commands as 'mail' (sudo: a password is required); allow it with the line "
            "`daemon ALL=(mail) NOPASSWD:SETENV: ALL` in /etc/sudoers.d/waterflow (visudo -f)",
        )

    async def test_a_rule_without_the_environment(self, deputies: Deputies) -> None:
        error = await refused(deputies, "games")
        assert (error.code, error.message) == (
            "run-as-refused",
            "sudo does not let 'daemon' hand on the environment as 'games' (sudo: sorry, you are not allowed to "
            "set the following environment variables: PATH, WATERFLOW_ATTEMPT); allow it with the line "
            "`daemon ALL=(games) NOPASSWD:SETENV: ALL` in "
            "/etc/sudoers.d/waterflow (visudo -f)",
        )

    async def test_a_node_that_works_inside_the_agent(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            vars: {node: file/read}
            defaults: {run-as: nobody}
            jobs: {a: {runs-on: deputy, steps: [{uses: "${{ vars.node }}", with: {path: /etc/hostname}}]}}
        """)
        error = state.jobs[0].steps[0].attempts[0].error
        assert error is not None
        assert (error.code, error.message) == (
            "run-as-unsupported",
            "node 'file/read' works inside the agent, so it cannot run as 'nobody'",
        )
