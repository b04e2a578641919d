"""Time-outs, retries and the other policies."""

from __future__ import annotations

from typing import Any

from waterflow_dsl import model
from waterflow_dsl.plan import (
    AgentLossPlan,
    ConcurrencyPlan,
    EnvironmentPlan,
    ForEachPlan,
    OfflinePlan,
    RetryPlan,
    StrategyPlan,
)


def timeout_of(*candidates: Any) -> float | str | None:
    """The first time-out that is written, in the order given."""
    for each in candidates:
        if each is None:
            continue
        if each.timeout is not None:
            return each.timeout
        if each.timeout_minutes is not None:
            return _minutes(each.timeout_minutes)
    return None


def _minutes(value: float | str) -> float | str:
    """Minutes that only a run knows become a duration: the template's value with the unit behind it."""
    return f"{value}m" if isinstance(value, str) else value


def compile_retry(*candidates: model.Retry | None) -> RetryPlan | None:
    """The first policy that is written, in the order given."""
    retry = next((each for each in candidates if each is not None), None)
    if retry is None:
        return None
    names = ("max_attempts", "initial_interval", "maximum_interval", "backoff_coefficient")
    given = {name: getattr(retry, name) for name in names if getattr(retry, name) is not None}
    return RetryPlan(**given, on_exit_codes=retry.on_exit_codes, non_retryable=retry.non_retryable)


def compile_strategy(strategy: model.Strategy | str | None) -> StrategyPlan | None:
    """Matrix; ``include`` and ``exclude`` apart from the names."""
    if strategy is None:
        return None
    if isinstance(strategy, str):
        expression = strategy.strip().removeprefix("${{").removesuffix("}}")
        return StrategyPlan(matrix=f"${{{{ ({expression}).matrix }}}}")
    matrix, include, exclude = strategy.matrix, None, None
    values = model.as_mapping(matrix)
    if values is not None:
        include, exclude = values.get("include"), values.get("exclude")
        matrix = {name: value for name, value in values.items() if name not in ("include", "exclude")}
    return StrategyPlan(
        matrix=matrix,
        include=include,
        exclude=exclude,
        fail_fast=strategy.fail_fast,
        max_parallel=strategy.max_parallel,
        max_instances=strategy.max_instances,
    )


def compile_for_each(job: model.Job) -> ForEachPlan | None:
    """A job's ``for-each``; without ``max-parallel`` all instances run at once (0)."""
    if job.for_each is None:
        return None
    strategy = job.strategy_keys
    parallel = strategy.max_parallel if strategy else None
    fail_fast = strategy.fail_fast if strategy else True
    return ForEachPlan(items=job.for_each, max_parallel=0 if parallel is None else parallel, fail_fast=fail_fast)


def compile_offline(offline: model.Offline | str | None) -> OfflinePlan:
    """What an offline member means."""
    if offline is None:
        return OfflinePlan()
    if isinstance(offline, str):
        return OfflinePlan(policy=offline)
    return OfflinePlan(policy="wait", wait=offline.wait if offline.wait is not None else 0.0)


def compile_agent_loss(loss: model.AgentLoss | str | None) -> AgentLossPlan:
    """What a lost agent means."""
    if loss is None:
        return AgentLossPlan()
    if isinstance(loss, str):
        return AgentLossPlan(policy=loss)
    return AgentLossPlan(policy=loss.policy) if loss.for_ is None else AgentLossPlan(policy=loss.policy, wait=loss.for_)


def compile_concurrency(concurrency: model.Concurrency | str | None) -> ConcurrencyPlan | None:
    """A concurrency group. GitHub's ``cancel-in-progress: true`` is ``on-conflict: cancel``."""
    if concurrency is None:
        return None
    if isinstance(concurrency, str):
        return ConcurrencyPlan(group=concurrency)
    cancel = concurrency.cancel_in_progress
    if isinstance(cancel, str):
        chosen = f"${{{{ ({cancel.strip()[3:-2].strip()}) && 'cancel' || 'queue' }}}}"
    else:
        chosen = concurrency.on_conflict or ("cancel" if cancel else "queue")
    return ConcurrencyPlan(group=concurrency.group or "", on_conflict=chosen)


def compile_environment(environment: model.Environment | str | None) -> EnvironmentPlan | None:
    """The environment of a job and the approval it needs."""
    if environment is None:
        return None
    if isinstance(environment, str):
        return EnvironmentPlan(name=environment)
    approval = environment.approval
    if isinstance(approval, model.Approval):
        return EnvironmentPlan(
            name=environment.name or "",
            url=environment.url,
            approval=True,
            approvers=approval.approvers,
            timeout=approval.timeout,
        )
    return EnvironmentPlan(name=environment.name or "", url=environment.url, approval=bool(approval))
