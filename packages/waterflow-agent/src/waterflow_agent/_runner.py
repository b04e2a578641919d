"""One attempt from its task to its outcome: directories, log, node, time-out, stop."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import msgspec

from waterflow_sdk.node import NodeError, StepContext, StepResult, execute_step
from waterflow_sdk.secrets import SecretError
from waterflow_sdk.wire import AgentRef, AttemptKey, ErrorInfo, LogEventKind, LogRef, NodeOutcome, NodeTask, State

from ._abilities import Abilities, objection_of_node
from ._attempts import Attempt
from ._confinement import OWN, Identity, Reach, StepConfinement, Users, explained, limit_of, reach_as
from ._crashes import Crashes
from ._error_context import with_context
from ._journal import Journal
from ._keeping import Keeping, KeptAttempt
from ._logs import AttemptLog, Logs
from ._registry import NodeRegistry, Registered
from ._secrets import SecretResolver
from ._stop import StopReason, stopped_error, stopped_state
from ._strays import Strays
from ._time_limit import TimeLimit, time_limit
from ._watchdog import running_step
from ._workspace import Workspaces, marked, step_environment

logger = logging.getLogger("waterflow.agent")

_BY_KEEPER = (StopReason.FENCED, StopReason.KEEPER_LOST)
"""What the agent may learn together with the end of the processes that it caused."""

_CATCH_UP = 2.0  # seconds that an adopted step has at least: what it printed meanwhile is read
_PATIENCE = 5.0  # seconds beyond the kill grace that a node has to notice that it is to end


class _PrivateDirectory:
    """The attempt's own directory: made when its node asks for one, which most do not."""

    def __init__(self, workspaces: Workspaces, key: AttemptKey) -> None:
        self._workspaces = workspaces
        self._key = key
        self._made = False

    def make(self) -> Path:
        """The directory. Raises OSError."""
        self._made = True
        return self._workspaces.of_attempt(self._key)

    def made(self) -> Path | None:
        """The directory, if it was made."""
        return self._workspaces.of_attempt(self._key) if self._made else None

    def remove(self) -> None:
        """Remove it if it was made."""
        if self._made:
            self._workspaces.remove_of_attempt(self._key)


class Runner:
    """Runs attempts. Calling it never raises: whatever happens is an outcome.

    Args:
        agent: Who runs them.
        registry: The nodes that are there.
        journal: Gets the processes that are started.
        logs: Where what a step says goes.
        workspaces: The directories of jobs and attempts.
        secrets: Puts values in place of segments; what it hides of the environment, steps do not see.
        users: Whom steps may run as.
        abilities: What the host can do, and so which nodes it is fit for.
        crashes: Which nodes are left alone.
        keeping: Has processes outlive the agent; None = they are its children.
        memory_limit: Bytes that each process may have at most; None = no limit.
        script_timeout: Seconds for scripts whose steps name no time-out; None = no limit.
    """

    def __init__(
        self,
        *,
        agent: AgentRef,
        registry: NodeRegistry,
        journal: Journal,
        logs: Logs,
        workspaces: Workspaces,
        secrets: SecretResolver,
        users: Users,
        abilities: Abilities,
        crashes: Crashes,
        keeping: Keeping | None = None,
        memory_limit: int | None = None,
        script_timeout: float | None = None,
    ) -> None:
        self._agent = agent
        self._registry = registry
        self._journal = journal
        self._logs = logs
        self._workspaces = workspaces
        self._secrets = secrets
        self._users = users
        self._abilities = abilities
        self._crashes = crashes
        self._keeping = keeping
        self._memory_limit = memory_limit
        self._script_timeout = script_timeout
        self._environ = step_environment(os.environ, secrets.hides)

    async def __call__(self, attempt: Attempt) -> NodeOutcome:
        """Runs the attempt to its outcome."""
        try:
            return await self._run(attempt)
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            message = f"the agent cannot use its state directory{where}: {error.strerror}"
            return self._outcome(attempt, State.FAILED, ErrorInfo(code="agent-state", message=message, retryable=True))
        except Exception as error:
            logger.exception("attempt %s: a defect of the agent", attempt.key)
            message = (
                f"the agent has a defect: {type(error).__name__}; its own log on {self._agent.name} has the traceback"
            )
            return self._outcome(attempt, State.FAILED, ErrorInfo(code="agent-defect", message=message))

    async def _run(self, attempt: Attempt) -> NodeOutcome:
        task = attempt.task
        found = self._registry.get(task.node)
        if found is None:
            message = f"agent {self._agent.name} has no node {task.node!r}"
            return self._outcome(attempt, State.FAILED, ErrorInfo(code="node-missing", message=message))
        if unfit := await self._unfit(attempt, found):
            return self._outcome(attempt, State.FAILED, unfit)
        try:
            log = await self._begin(attempt)
        except SecretError as error:
            info = ErrorInfo(code=error.code, message=str(error), retryable=error.retryable)
            return self._outcome(attempt, State.FAILED, info)
        private = _PrivateDirectory(self._workspaces, task.key)
        try:
            outcome = await self._execute(attempt, found, log, private)
        except BaseException:
            log.close()
            raise
        finally:
            private.remove()
            self._workspaces.leave(task.key)
        return msgspec.structs.replace(outcome, log=_end(log, outcome))

    async def _unfit(self, attempt: Attempt, found: Registered) -> ErrorInfo | None:
        """Why the host is not fit for the node. What is missing may have come a moment ago: it is looked for again."""
        if why := self._crashes.objection(found):
            return ErrorInfo(code="node-crashed", message=f"agent {self._agent.name} {why}")
        needs = {attempt.task.node: found.manifest.capabilities}
        if attempt.held or not objection_of_node(self._abilities, needs):
            return None
        await self._abilities.look()
        if why := objection_of_node(self._abilities, needs):
            return ErrorInfo(code="capability-missing", message=f"agent {self._agent.name} {why}")
        return None

    async def _begin(self, attempt: Attempt) -> AttemptLog:
        """Resolves the secrets and opens the log; what a former incarnation began has both. Raises SecretError."""
        task = attempt.task
        if attempt.held:
            return self._logs.go_on(str(task.key))
        attempt.task = await self._secrets.resolve(task)
        log = self._logs.open(str(task.key))
        whose = {"run_as": task.run_as} if task.run_as else {}
        log.event(LogEventKind.STEP_STARTED, "", {"node": task.node, "name": task.step_name, **whose})
        return log

    async def _kept(self, attempt: Attempt, found: Registered, reach: Reach | None) -> KeptAttempt | None:
        """Whose processes only sudo leads to cannot be ended by the keeper, so it gets none that has a fence."""
        fenced = attempt.task.fence_after is not None
        if self._keeping is None or (fenced and reach is not None):
            return None
        return await self._keeping.attempt(attempt, resumable=found.node.resumable)

    async def _execute(
        self, attempt: Attempt, found: Registered, log: AttemptLog, private: _PrivateDirectory
    ) -> NodeOutcome:
        task = attempt.task
        try:
            user = await self._user(task, found)
        except NodeError as error:
            return self._outcome(attempt, State.FAILED, error.to_info())
        memory = limit_of(task.memory, self._memory_limit)
        workspace = self._workspaces.of_job(task.key)
        reach = reach_as(task.run_as)
        strays = Strays(task.key, task.kill_grace, reach)
        if attempt.held:
            strays.found(process.pid for process in attempt.held.processes if process.pid)
        ctx = StepContext(
            task=task,
            workspace=workspace,
            make_temp=private.make,
            sink=log.append,
            base_env=marked(user.environment(self._environ), task.key),
            on_process_start=lambda group: self._journal.process(task.key, group, strays.began(group), task.run_as),
            on_process_end=lambda group: self._journal.process_ended(task.key, group),
            start_process=await self._kept(attempt, found, reach),
            confinement=self._confinement(task.key, user, memory, workspace, private),
        )
        running_step.set(str(task.key))
        step = asyncio.create_task(execute_step(found.node, ctx, task.inputs), name=f"node of {task.key}")
        limit = time_limit(task, self._script_timeout)
        result = await _until_ended(attempt, step, ctx, strays, limit)
        await strays.end(stopped=result is None)
        if result is not None:
            error = result.error
            if error and memory is not None:
                error = explained(error, ctx.tail, memory, task.memory)
            return self._outcome(attempt, State.FAILED if error else State.SUCCESS, error, result, ctx)
        reason = attempt.reason or StopReason.CANCELLED
        return self._outcome(
            attempt, stopped_state(reason), stopped_error(reason, attempt.limit, limit.whose), None, ctx
        )

    def _confinement(
        self, key: AttemptKey, user: Identity, memory: int | None, workspace: Path, private: _PrivateDirectory
    ) -> StepConfinement | None:
        if user is OWN and memory is None:
            return None
        above = self._workspaces.above(workspace)
        return StepConfinement(user, memory, str(key), workspace, above, private.made)

    async def _user(self, task: NodeTask, found: Registered) -> Identity:
        """Whom the processes of the step belong to. Raises NodeError."""
        if not task.run_as:
            return OWN
        if not found.node.confinable:
            message = f"node {task.node!r} works inside the agent, so it cannot run as {task.run_as!r}"
            raise NodeError(message, code="run-as-unsupported")
        return await asyncio.to_thread(self._users.identity, task.run_as)

    def _outcome(
        self,
        attempt: Attempt,
        state: State,
        error: ErrorInfo | None,
        result: StepResult | None = None,
        ctx: StepContext | None = None,
    ) -> NodeOutcome:
        return NodeOutcome(
            state=state,
            agent=self._agent,
            started=attempt.started,
            ended=attempt.now(),
            outputs=result.outputs if result else {},
            env=ctx.env_changes if ctx else {},
            paths=ctx.path_changes if ctx else [],
            masks=ctx.masks if ctx else [],
            exit_code=result.exit_code if result else None,
            error=with_context(error, attempt.task, self._agent.name, ctx) if error else None,
        )


async def _until_ended(
    attempt: Attempt, step: asyncio.Task[StepResult], ctx: StepContext, strays: Strays, limit: TimeLimit
) -> StepResult | None:
    """The result of a node that ended by itself; None if it was told to end, by a stop or by its time-out."""
    await asyncio.wait((step, attempt.stopping), timeout=_left(attempt, limit), return_when=asyncio.FIRST_COMPLETED)
    if step.done() and attempt.reason not in _BY_KEEPER:
        return step.result()
    attempt.stop(StopReason.TIMED_OUT, limit.seconds)
    step.cancel()
    others = asyncio.create_task(strays.stop(), name=f"strays of {attempt.key}")
    await asyncio.wait((step, others), timeout=attempt.task.kill_grace + _PATIENCE)
    if not step.done():
        logger.error("node %s of %s ignores that it is to end; it is left behind", attempt.task.node, attempt.key)
        ctx.log.error("the node ignores that it is to end; it is left behind and runs on until the agent ends")
        await ctx.close()
    elif not step.cancelled() and (error := step.exception()):
        logger.error("node %s of %s: %r while it was ended", attempt.task.node, attempt.key, error)
    return None


def _left(attempt: Attempt, limit: TimeLimit) -> float | None:
    """Seconds until the time-out, which counts from the start, whoever began the attempt."""
    if limit.seconds is None:
        return None
    return max(limit.seconds - attempt.age, _CATCH_UP if attempt.held else 0.0)


def _end(log: AttemptLog, outcome: NodeOutcome) -> LogRef:
    data: dict[str, Any] = {"state": outcome.state.value}
    if outcome.exit_code is not None:
        data["exit_code"] = outcome.exit_code
    log.event(LogEventKind.STEP_ENDED, outcome.error.message if outcome.error else "", data)
    return log.close()
