"""A job and its policies."""

from __future__ import annotations

from typing import Any

from waterflow_dsl.model._base import ModelObject, Values
from waterflow_dsl.model._concurrency import Concurrency
from waterflow_dsl.model._step import Block, Resources, Retry


class RunDefaults(ModelObject, frozen=True, kw_only=True):
    """``defaults.run``."""

    shell: str | None = None
    working_directory: str | None = None


class JobDefaults(ModelObject, frozen=True, kw_only=True):
    """``defaults`` of the file or of a job."""

    run: RunDefaults | None = None
    timeout: float | str | None = None
    timeout_minutes: float | str | None = None
    retry: Retry | None = None
    run_as: str | None = None
    resources: Resources | None = None
    runs_on: RunsOn | str | tuple[str, ...] | None = None


class RunsOn(ModelObject, frozen=True, kw_only=True):
    """``runs-on`` as a mapping."""

    group: str | tuple[str, ...] | None = None
    tags: tuple[str, ...] | str = ()
    target: str | None = None
    agent: str | None = None


class Strategy(ModelObject, frozen=True, kw_only=True):
    """``strategy``."""

    matrix: Any = None
    fail_fast: bool | str = True
    max_parallel: int | str | None = None
    max_instances: int | None = None


class Rollout(ModelObject, frozen=True, kw_only=True):
    """``rollout``."""

    batches: tuple[str, ...] = ()
    batch: str | None = None
    max_failures: str | None = None
    on_threshold: str = "fail"
    pause_between: float | str | None = None
    check: tuple[Block, ...] = ()
    order: tuple[str, ...] = ()


class Offline(ModelObject, frozen=True, kw_only=True):
    """``offline`` as a mapping."""

    wait: float | str | None = None


class AgentLoss(ModelObject, frozen=True, kw_only=True):
    """``agent-loss`` as a mapping."""

    policy: str | None = None
    for_: float | str | None = None


class Approval(ModelObject, frozen=True, kw_only=True):
    """``environment.approval`` as a mapping."""

    approvers: tuple[str, ...] = ()
    timeout: float | str | None = None


class Environment(ModelObject, frozen=True, kw_only=True):
    """``environment`` as a mapping."""

    name: str | None = None
    url: str | None = None
    approval: Approval | bool | None = None
    deployment: bool | str | None = None


class Job(ModelObject, frozen=True, kw_only=True):
    """A job; with ``uses`` a call of a reusable workflow."""

    name: str | None = None
    runs_on: RunsOn | str | tuple[str, ...] | None = None
    needs: tuple[str, ...] = ()
    if_: str | None = None
    strategy: Strategy | str | None = None
    for_each: Any = None
    rollout: Rollout | None = None
    offline: Offline | str | None = None
    agent_loss: AgentLoss | str | None = None
    env: Values | str = {}
    run_as: str | None = None
    resources: Resources | None = None
    defaults: JobDefaults | None = None
    timeout: float | str | None = None
    timeout_minutes: float | str | None = None
    retry: Retry | None = None
    continue_on_error: bool | str = False
    concurrency: Concurrency | str | None = None
    environment: Environment | str | None = None
    outputs: Values = {}
    steps: tuple[Block, ...] = ()
    on_failure: tuple[Block, ...] = ()
    finally_: tuple[Block, ...] = ()
    uses: str | None = None
    with_: Values = {}
    secrets: Values | str = {}
    permissions: Any = None
    container: Any = None
    services: Any = None
    snapshot: Any = None
    cancel_timeout_minutes: float | str | None = None

    @property
    def strategy_keys(self) -> Strategy | None:
        """``strategy`` as a mapping; None also when one expression gives all of it, as GitHub allows."""
        return self.strategy if isinstance(self.strategy, Strategy) else None
