"""``WaterflowInquiry``: asks the agents of a run, many at once, and tells the run what came of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from waterflow_sdk.wire import CHECK_SECRETS_ACTIVITY, ORCHESTRATOR_QUEUE, AgentRef, SecretAnswer, control_queue

from ._judge import judge, questions
from ._wire import DEMANDS_ACTIVITY, INQUIRY_WORKFLOW, Demands, Finding

AT_ONCE = 50
"""Agents that are asked at the same time."""

ANSWER_WITHIN = timedelta(seconds=10)
"""How long an agent has to answer, from when it is asked. One that is frozen holds the run up for as long."""

TRIES = 3
"""How often an agent is asked whose Vault cannot be asked right now."""

_PAUSE = 1.0
_ONCE = RetryPolicy(maximum_attempts=1)
_A_FEW_TIMES = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=5)


@workflow.defn(name=INQUIRY_WORKFLOW)
class WaterflowInquiry:
    """Its input is the run's id, its result a ``Finding``. What cannot be found out is not held against the run."""

    @workflow.init
    def __init__(self, run_id: str) -> None:
        self._run = run_id
        self._slots = asyncio.Semaphore(AT_ONCE)

    @workflow.run
    async def run(self, run_id: str) -> Finding:
        """To the last answer, or until no more is waited for."""
        del run_id
        asked = await self._demands()
        wanted = questions(asked)
        answers = await asyncio.gather(
            *(self._ask(asked.agents[place], segments) for place, segments in wanted.items())
        )
        return judge(asked, dict(zip(wanted, answers, strict=True)))

    async def _demands(self) -> Demands:
        try:
            return await workflow.execute_activity(
                DEMANDS_ACTIVITY,
                self._run,
                result_type=Demands,
                task_queue=ORCHESTRATOR_QUEUE,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=_A_FEW_TIMES,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("run %s starts without asking its agents for secrets: %s", self._run, error.cause)
            return Demands()

    async def _ask(self, agent: AgentRef, segments: list[str]) -> dict[str, SecretAnswer]:
        """The agent's answers by segment; none where it gives none."""
        answers: list[SecretAnswer] = []
        async with self._slots:
            for number in range(TRIES):
                if number:
                    await asyncio.sleep(_PAUSE)
                answers = await self._ask_once(agent, segments)
                if not any(answer.retryable for answer in answers):
                    break
        return dict(zip(segments, answers, strict=False))

    async def _ask_once(self, agent: AgentRef, segments: list[str]) -> list[SecretAnswer]:
        try:
            return await workflow.execute_activity(
                CHECK_SECRETS_ACTIVITY,
                segments,
                result_type=list[SecretAnswer],
                task_queue=control_queue(agent.id),
                schedule_to_close_timeout=ANSWER_WITHIN,
                retry_policy=_ONCE,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # Older agents do not know the question, and frozen ones do not hear it.
            workflow.logger.info("agent %s does not say which secrets it can read: %s", agent.name, error.cause)
            return []
