"""Which agent a job instance runs on: claimed by pull from a group's queue, or chosen from the registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError

from waterflow_dsl.plan import LoopPlan, NodePlan, OfflinePlan, ParallelPlan, StepPlan, TargetPlan, UsesKind, WhilePlan
from waterflow_sdk.wire import (
    CLAIM_ACTIVITY,
    ORCHESTRATOR_QUEUE,
    AgentRef,
    AgentState,
    AgentStatus,
    ClaimRequest,
    group_queue,
    run_as_capability,
)

from ...presence import CHOOSE_AGENT_ACTIVITY, AgentChoice, ChoiceQuery
from .._agents import describe_target, find_agents, nobody_online, target_query
from .._values import StepFailure
from ..memory._course import Course
from ..signals._stop import Stop

CLAIM_PATIENCE = timedelta(seconds=3)
"""How long a claim lies in the group's queue before the interpreter looks why nobody takes it."""

CLAIM_TIMEOUT = timedelta(seconds=2)
"""An agent answers a claim at once or after holding it for a second; a frozen one swallows it until this passes."""

_CLAIM_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=1), maximum_attempts=10
)


class NoAgentSkip(Exception):
    """Nobody is there and the job says ``offline: skip``."""


PATCH_ABLE = "2026-11-able-member"

_REFUSALS = {"NodeMissing": "node-missing", "CapabilityMissing": "capability-missing"}
"""Why a member leaves a job to the others, and the error of the job where they all do."""


class _Unable(StepFailure):
    """Nobody of those whom a claim came to can run the job; its queue need not have come to all members."""


class Placement:
    """Finds the agent of one job instance, waiting as its offline policy says; ``report`` hears why it waits.

    ``lacking`` are the ids of members that are not to get it, for want of a secret. ``rest`` comes before each look.
    ``course.patience`` is when it gives up, set the first time that nobody is there.
    """

    def __init__(
        self,
        request: ClaimRequest,
        target: TargetPlan,
        offline: OfflinePlan,
        wait: float,
        stop: Stop,
        report: Callable[[str], None],
        rest: Callable[[], Awaitable[None]],
        course: Course,
        lacking: Sequence[str] = (),
    ) -> None:
        self._request = request
        self._target = target
        self._offline = offline
        self._wait = wait
        self._stop = stop
        self._report = report
        self._rest = rest
        self._course = course
        self._lacking = list(lacking)

    async def place(self) -> AgentRef | None:
        """The agent that has the job; None when the run was stopped first. Raises StepFailure or NoAgentSkip."""
        while not self._stop.cancelled:
            await self._rest()
            agent, members = await self._try()
            if agent is not None:
                self._course.patience = None
                return agent
            online = [member for member in members if member.status is AgentStatus.ONLINE]
            if online:
                self._report(f"all {len(online)} online agents of {describe_target(self._target)} are busy")
                continue
            reason = nobody_online(self._target, members) + self._left_out()
            self._report(reason)
            deadline = self._course.patience or workflow.now() + timedelta(seconds=self._wait)
            self._course.patience = deadline
            self._give_up(reason, late=workflow.now() >= deadline)
            await self._stop.sleep(1.0)
        return None

    def _left_out(self) -> str:
        if not self._lacking:
            return ""
        return f"; {len(self._lacking)} others cannot read the secrets of the job"

    def _give_up(self, reason: str, *, late: bool) -> None:
        if self._offline.policy == "skip":
            raise NoAgentSkip(reason)
        if self._offline.policy == "fail" or late:
            raise StepFailure("no-agent", reason)

    async def _try(self) -> tuple[AgentRef | None, list[AgentState]]:
        target = self._target
        # Whoever hears a claim may take it, so that nobody can be left out of one.
        if target.agent is None and len(target.groups) == 1 and not target.tags and not self._lacking:
            return await self._pull(target.groups[0])
        if target.agent is None and workflow.patched("2026-11-least-loaded"):
            return await self._choose()
        members = await find_agents(target_query(target))
        online = [member for member in members if member.status is AgentStatus.ONLINE]
        if not online:
            return None, members
        chosen = workflow.random().choice(online)
        return AgentRef(id=chosen.id, name=chosen.name), members

    async def _pull(self, group: str) -> tuple[AgentRef | None, list[AgentState]]:
        """Whoever takes the claim. Where all whom it came to lack something, one is looked for that does not."""
        try:
            agent = await self._claim(group)
        except _Unable as unable:
            if not workflow.patched(PATCH_ABLE):
                raise
            agent, able = await self._choose(strict=True)
            if agent is None and not able:
                raise unable from None
            return agent, able
        return agent, [] if agent else await find_agents(target_query(self._target))

    async def _choose(self, *, strict: bool = False) -> tuple[AgentRef | None, list[AgentState]]:
        """The member with the least to do; a second's rest where all are busy, as a claim has on its queue. Strict:
        only members that have all that the job uses.
        """
        target = self._target
        choice = await workflow.execute_activity(
            CHOOSE_AGENT_ACTIVITY,
            ChoiceQuery(
                groups=list(target.groups),
                tags=list(target.tags),
                nodes=list(self._request.nodes),
                capabilities=list(self._request.capabilities),
                strict=strict,
                without=self._lacking,
            ),
            result_type=AgentChoice,
            task_queue=ORCHESTRATOR_QUEUE,
            start_to_close_timeout=timedelta(seconds=10),
        )
        if choice.agent is None and any(member.status is AgentStatus.ONLINE for member in choice.members):
            await self._stop.sleep(1.0)
        return choice.agent, choice.members

    async def _claim(self, group: str) -> AgentRef | None:
        handle = workflow.start_activity(
            CLAIM_ACTIVITY,
            self._request,
            result_type=AgentRef,
            task_queue=group_queue(group),
            schedule_to_start_timeout=CLAIM_PATIENCE,
            start_to_close_timeout=CLAIM_TIMEOUT,
            retry_policy=_CLAIM_RETRY,
        )
        if await self._stop.interrupts(handle):
            handle.cancel()
        try:
            return await handle
        except ActivityError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError) and cause.type in _REFUSALS:
                raise _Unable(_REFUSALS[cause.type], cause.message) from error
            if isinstance(cause, ApplicationError) and cause.type != "AgentFull":
                raise StepFailure("claim-refused", cause.message) from error
            if isinstance(cause, (ApplicationError, TimeoutError)) or self._stop.cancelled:
                return None
            raise


def nodes_used(nodes: tuple[NodePlan, ...]) -> list[str]:
    """Names of the agent nodes in a list of steps, in the order they are written, each once."""
    return list(dict.fromkeys(step.uses.name for step in _steps(nodes) if step.uses.kind is UsesKind.NODE))


def capabilities_used(nodes: tuple[NodePlan, ...]) -> list[str]:
    """What the steps ask of their agent themselves: the users that they run as, where no expression gives them."""
    users = (step.run_as for step in _steps(nodes) if isinstance(step.run_as, str) and "${{" not in step.run_as)
    return sorted({run_as_capability(user) for user in users if user})


def _steps(nodes: tuple[NodePlan, ...]) -> Iterator[StepPlan]:
    for node in nodes:
        if isinstance(node, StepPlan):
            yield node
            yield from _steps(node.rollback)
        elif isinstance(node, (ParallelPlan, LoopPlan, WhilePlan)):
            yield from _steps(node.steps)
        else:
            yield from _steps((*node.then, *node.otherwise))
