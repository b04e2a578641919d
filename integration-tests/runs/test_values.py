"""What expressions give is known only at the run: a value that cannot be ends in a clear state with its reason, and the
run can be looked at and stopped all the time.
"""

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import Run
from waterflow_sdk.wire import RunState, State

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXPRESSION = '"${{ fromJSON(vars.value) }}"'


def job(field: str) -> str:
    """A job with a field whose value is an expression."""
    return f"jobs: {{work: {{runs-on: web, {field}: {EXPRESSION}, steps: [{{run: 'true'}}]}}}}"


def step(text: str) -> str:
    """A job with a step, in which V stands for an expression."""
    return f"jobs: {{work: {{runs-on: web, steps: [{text.replace('V', EXPRESSION)}]}}}}"


async def ended(site: Site, yaml: str, value: str) -> RunState:
    """The end of a run whose variable is this JSON text."""
    return await site.run(yaml, vars={"value": value})


class TestADurationThatIsNone:
    @pytest.mark.parametrize("value", ["[]", '"soon"', "-1", "1e300"])
    @pytest.mark.parametrize(
        ("field", "yaml"),
        [
            ("timeout", f"timeout: {EXPRESSION}\njobs: {{work: {{runs-on: web, steps: [run: 'true']}}}}"),
            ("timeout", job("timeout")),
            ("timeout", step("{run: 'true', timeout: V}")),
            ("heartbeat-timeout", step("{run: 'true', heartbeat-timeout: V}")),
            ("retry.initial-interval", step("{run: 'false', retry: {max-attempts: 2, initial-interval: V}}")),
            ("delay", step("{while: 'true', delay: V, steps: [{uses: sleep, with: {duration: 1ms}}]}")),
            ("with.duration", step("{uses: sleep, with: {duration: V}}")),
            ("with.timeout", step("{uses: approval, with: {timeout: V}}")),
        ],
        ids=["run", "job", "step", "heartbeat", "retry", "while", "sleep", "approval"],
    )
    async def test_fails_naming_the_field(self, site: Site, yaml: str, field: str, value: str):
        state = await ended(site, yaml, value)
        assert (state.state, state.error is not None) == (State.FAILED, True)
        assert f"{field}: " in state.error.message
        assert "is not a duration" in state.error.message or "is longer than ten years" in state.error.message


class TestANumberThatIsNone:
    @pytest.mark.parametrize("value", ["0.5", '"x"', "null", "[2]", "true"])
    async def test_a_backoff(self, site: Site, value: str):
        state = await ended(site, step("{run: 'false', retry: {max-attempts: 2, backoff-coefficient: V}}"), value)
        assert "retry.backoff-coefficient: must be a number of at least 1" in state.error.message

    async def test_a_backoff_beyond_all_numbers_is_the_longest_interval(self, site: Site):
        retry = "{max-attempts: 3, initial-interval: 1ms, maximum-interval: 2ms, backoff-coefficient: V}"
        state = await ended(site, step(f"{{run: 'false', retry: {retry}}}"), "1e300")
        assert len((await site.client.run(state.id).status()).jobs[0].steps[0].attempts) == 3


class TestAnExpression:
    @pytest.mark.parametrize(
        ("where", "yaml"),
        [
            ("run-name", f"run-name: {EXPRESSION}\njobs: {{work: {{runs-on: web, steps: [run: 'true']}}}}"),
            ("env.X", f"env: {{X: {EXPRESSION}}}\njobs: {{work: {{runs-on: web, steps: [run: 'true']}}}}"),
            ("if", job("if")),
            ("runs-on", job("runs-on").replace("runs-on: web, ", "")),
            ("for-each", job("for-each")),
            ("name", job("name")),
            ("if", step("{if: V, run: 'true'}")),
            ("with.run", step("{run: V}")),
            ("outputs.x", job("outputs").replace(EXPRESSION, f"{{x: {EXPRESSION}}}")),
        ],
        ids=["run-name", "env", "job-if", "runs-on", "for-each", "job-name", "step-if", "run", "outputs"],
    )
    async def test_that_goes_wrong_names_the_field_and_why(self, site: Site, yaml: str, where: str):
        state = await ended(site, yaml, "{not json")
        assert (state.state, state.error is not None) == (State.FAILED, True)
        assert f"{where}: " in state.error.message


class TestNobody:
    """An expression without a value must not come to mean everybody."""

    @pytest.mark.parametrize("value", ["null", '""', "{}", "[]"])
    async def test_an_agent_without_a_name_is_not_any_agent(self, site: Site, value: str):
        yaml = f"jobs: {{work: {{runs-on: {{agent: {EXPRESSION}}}, steps: [run: 'true']}}}}"
        state = await ended(site, yaml, value)
        assert state.state is State.FAILED
        assert "it must name an agent" in state.error.message

    @pytest.mark.parametrize("value", ["null", '""', "[]"])
    async def test_approvers_without_a_name_are_not_anybody(self, site: Site, value: str):
        state = await ended(site, step("{uses: approval, with: {approvers: V}}"), value)
        assert state.state is State.FAILED
        assert "with.approvers: names nobody; without `approvers` anybody may answer" in state.error.message


class TestTooMany:
    @pytest.mark.parametrize(
        ("yaml", "reason"),
        [
            (
                "for-each: '${{ range(100000) }}', steps: [run: 'true']",
                "job work: for-each: 100,000 elements make 100,000 job instances; 10,000 are allowed",
            ),
            (
                "strategy: {matrix: {x: '${{ range(100000) }}'}}, steps: [run: 'true']",
                "job work: strategy.matrix: 100,000 combinations; 256 are allowed",
            ),
            (
                "steps: [{for-each: '${{ range(100000) }}', run: 'true'}]",
                "for-each: 100,000 items; 10,000 are allowed",
            ),
        ],
        ids=["for-each of a job", "matrix", "for-each of a step"],
    )
    async def test_fail_at_once_with_how_many_there_are(self, site: Site, yaml: str, reason: str):
        state = await site.run(f"jobs: {{work: {{runs-on: web, {yaml}}}}}")
        assert state.state is State.FAILED
        assert state.error.message.endswith(reason)

    async def test_instances_are_those_of_all_hosts(self, site: Site):
        axes = "strategy: {max-instances: 10000, matrix: {x: '${{ range(100) }}', y: '${{ range(100) }}'}}"
        state = await site.run(f"jobs: {{a: {{runs-on: {{group: web, target: all}}, {axes}, steps: [run: 'true']}}}}")
        assert state.error.message == (
            "job a: strategy.matrix: 10,000 elements on 2 hosts make 20,000 job instances; 10,000 are allowed"
        )


class TestAnEndlessLoop:
    LOOPS = pytest.mark.parametrize(
        "loop",
        [
            "while: 'true', max-iterations: 1000000000",
            "for-each: '${{ range(10000) }}'",
            "for-each: '${{ range(10000) }}', max-parallel: 10000",
        ],
        ids=["while", "for-each", "all at once"],
    )

    async def _turning(self, site: Site, loop: str) -> Run:
        yaml = (
            f"jobs: {{work: {{runs-on: web, steps: [{{{loop}, steps: [{{uses: sleep, with: {{duration: 1h}}}}]}}]}}}}"
        )
        run = await site.submit(yaml)

        async def turns() -> bool:
            state = await run.status()
            return bool(state.jobs) and any(step.steps for step in state.jobs[0].steps)

        await until(turns, "the first iteration has begun")
        return run

    @LOOPS
    async def test_can_be_paused_and_resumed(self, site: Site, loop: str):
        run = await self._turning(site, loop)
        await run.pause("lunch")
        assert (await run.status()).state is State.PAUSED
        await run.resume()
        assert (await run.status()).state is State.RUNNING
        await run.cancel()
        await run.wait(180)

    @LOOPS
    async def test_ends_with_a_cancel_and_begins_no_further_iteration(self, site: Site, loop: str):
        run = await self._turning(site, loop)
        await run.cancel("enough")
        state = await run.wait(180)
        assert (state.state, state.reason) == (State.CANCELLED, "enough")
        begun = (await run.status()).jobs[0].steps[0].steps
        assert len(begun) <= 200
        assert {each.state for each in begun} == {State.CANCELLED}
