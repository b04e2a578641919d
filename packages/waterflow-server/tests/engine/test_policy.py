"""Where a retry policy becomes attempts and a lost agent becomes a decision."""

import pytest

from waterflow_dsl.plan import AgentLossPlan, RetryPlan, StepPlan, UsesPlan
from waterflow_server.engine._policy import CONTACT_LAG, KILL_GRACE, attempt_policy
from waterflow_server.engine._values import StepFailure, Values

VALUES = Values({"vars": {"tries": 4, "wait": "2m"}}, {})


def policy(*, retry: RetryPlan | None = None, loss: AgentLossPlan | None = None, safe: bool = False, **fields):
    step = StepPlan(path="steps[0]", uses=UsesPlan(kind="node", name="shell"), retry=retry, **fields)
    return attempt_policy(step, loss or AgentLossPlan(), VALUES, retry_safe=safe)


class TestMaxAttempts:
    def test_without_a_policy_a_step_runs_once(self):
        assert policy().retry.max_attempts == 1

    def test_a_retry_safe_node_gets_three(self):
        assert policy(safe=True).retry.max_attempts == 3

    def test_may_be_an_expression(self):
        assert policy(retry=RetryPlan(max_attempts="${{ vars.tries }}")).retry.max_attempts == 4

    @pytest.mark.parametrize("wrong", [0, "many", "${{ vars.wait }}"])
    def test_must_be_a_whole_number(self, wrong):
        with pytest.raises(StepFailure, match=r"retry\.max-attempts: must be a whole number of at least 1"):
            policy(retry=RetryPlan(max_attempts=wrong))

    def test_the_last_attempt_is_not_followed_by_another(self):
        chosen = policy(retry=RetryPlan(max_attempts=2)).retry
        assert chosen.worth_another("process-failed", 1, spent=1)
        assert not chosen.worth_another("process-failed", 1, spent=2)


class TestWorthAnother:
    def test_only_the_named_exit_codes(self):
        chosen = policy(retry=RetryPlan(max_attempts=3, on_exit_codes=(75,))).retry
        assert chosen.worth_another("process-failed", 75, spent=1)
        assert not chosen.worth_another("process-failed", 1, spent=1)

    def test_never_a_non_retryable_kind(self):
        chosen = policy(retry=RetryPlan(max_attempts=3, non_retryable=("invalid-input",))).retry
        assert not chosen.worth_another("invalid-input", None, spent=1)


class TestDelay:
    def test_grows_by_the_coefficient_up_to_the_maximum(self):
        chosen = policy(retry=RetryPlan(max_attempts=9, initial_interval=1.0, maximum_interval=5.0)).retry
        assert [chosen.delay(spent) for spent in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 5.0]

    def test_beyond_all_numbers_it_is_the_maximum(self):
        chosen = policy(retry=RetryPlan(initial_interval=1.0, maximum_interval=5.0, backoff_coefficient=1e300)).retry
        assert chosen.delay(3) == 5.0

    @pytest.mark.parametrize("wrong", [0.5, "x", None, [2], True, float("inf")])
    def test_the_coefficient_must_be_a_number_that_does_not_shrink(self, wrong):
        with pytest.raises(StepFailure, match=r"retry\.backoff-coefficient: must be a number of at least 1, not"):
            policy(retry=RetryPlan(backoff_coefficient=wrong))


class TestAgentLoss:
    def test_fails_by_default(self):
        assert policy().loss.policy == "fail"
        assert policy().fence_after is None

    def test_reassigns_a_retry_safe_node(self):
        assert policy(safe=True).loss.policy == "reassign"

    def test_reassign_waits_until_the_lost_agent_has_fenced_itself(self):
        chosen = policy(loss=AgentLossPlan(policy="reassign", wait=1.0), heartbeat_timeout=5.0)
        assert chosen.loss.wait == CONTACT_LAG + KILL_GRACE
        assert chosen.fence_after == 5.0
