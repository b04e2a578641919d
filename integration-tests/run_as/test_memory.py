"""`resources.memory`: a process that wants more does not get it, and the step says so."""

from __future__ import annotations

import pytest

from waterflow_sdk.wire import ErrorInfo, State

from .conftest import Deputies

pytestmark = pytest.mark.asyncio(loop_scope="session")

GREEDY = "head -c 300M /dev/zero | tail >/dev/null"
"""tail(1) keeps the last line, which is all of it."""


async def failed(deputies: Deputies, agent: str, step: str) -> ErrorInfo:
    state = await deputies.site.run(f"jobs: {{a: {{runs-on: {agent}, steps: [{{run: '{GREEDY}', {step}}}]}}}}")
    attempt = state.jobs[0].steps[0].attempts[0]
    assert attempt.error is not None
    assert attempt.exit_code == 1
    return attempt.error


class TestLimit:
    @pytest.mark.parametrize("user", ['""', "nobody"])
    async def test_of_the_step(self, deputies: Deputies, user: str) -> None:
        error = await failed(deputies, "deputy", f"run-as: {user}, resources: {{memory: 64MiB}}")
        assert (error.code, error.message) == (
            "memory-limit",
            "the script ended with exit code 1: a process of it was refused memory; the limit is 64 MiB "
            "(its `resources.memory`)",
        )

    async def test_of_the_agent(self, deputies: Deputies) -> None:
        """The step may ask for more and does not get it."""
        error = await failed(deputies, "plain", "resources: {memory: 1GiB}")
        assert (error.code, error.message) == (
            "memory-limit",
            "the script ended with exit code 1: a process of it was refused memory; the limit is 96 MiB "
            "(the agent's `nodes.memory_limit`)",
        )

    async def test_enough(self, deputies: Deputies) -> None:
        state = await deputies.site.run(f"""
            vars: {{memory: 2GiB}}
            jobs:
              a: {{runs-on: deputy, steps: [{{run: '{GREEDY}', resources: {{memory: "${{{{ vars.memory }}}}"}}}}]}}
        """)
        assert state.state is State.SUCCESS

    async def test_no_amount(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            vars: {memory: much}
            jobs: {a: {runs-on: deputy, steps: [{run: id, resources: {memory: "${{ vars.memory }}"}}]}}
        """)
        assert state.jobs[0].steps[0].error is not None
        assert state.jobs[0].steps[0].error.message == (
            "resources.memory: 'much' is not an amount of memory such as 512MiB"
        )
