"""Steps and blocks of steps."""

from __future__ import annotations

from typing import Any, TypeAlias

from waterflow_dsl.model._base import ModelObject, Values


class Retry(ModelObject, frozen=True, kw_only=True):
    """``retry``."""

    max_attempts: int | str | None = None
    initial_interval: float | str | None = None
    maximum_interval: float | str | None = None
    backoff_coefficient: float | str | None = None
    on_exit_codes: tuple[int, ...] = ()
    non_retryable: tuple[str, ...] = ()


class Resources(ModelObject, frozen=True, kw_only=True):
    """``resources``; memory in bytes."""

    memory: int | str | None = None


class Step(ModelObject, frozen=True, kw_only=True):
    """A step: ``run`` or ``uses``."""

    id: str | None = None
    name: str | None = None
    if_: str | None = None
    uses: str | None = None
    run: str | None = None
    with_: Values | str = {}
    env: Values | str = {}
    shell: str | None = None
    working_directory: str | None = None
    run_as: str | None = None
    resources: Resources | None = None
    timeout: float | str | None = None
    timeout_minutes: float | str | None = None
    heartbeat_timeout: float | str | None = None
    retry: Retry | None = None
    continue_on_error: bool | str = False
    rollback: tuple[Block, ...] = ()
    for_each: Any = None
    as_: str | None = None
    max_parallel: int | str | None = None
    fail_fast: bool | str = True


class Parallel(ModelObject, frozen=True, kw_only=True):
    """``parallel``."""

    parallel: tuple[Block, ...] = ()
    id: str | None = None
    name: str | None = None
    if_: str | None = None
    max_parallel: int | str | None = None
    fail_fast: bool | str = True


class Branch(ModelObject, frozen=True, kw_only=True):
    """``if`` with ``then`` and ``else``."""

    if_: str | None = None
    then: tuple[Block, ...] = ()
    else_: tuple[Block, ...] = ()
    id: str | None = None
    name: str | None = None


class Loop(ModelObject, frozen=True, kw_only=True):
    """``for-each`` with ``steps``."""

    for_each: Any = None
    steps: tuple[Block, ...] = ()
    as_: str | None = None
    max_parallel: int | str | None = None
    fail_fast: bool | str = True
    id: str | None = None
    name: str | None = None
    if_: str | None = None


class While(ModelObject, frozen=True, kw_only=True):
    """``while`` with ``steps``."""

    while_: str | None = None
    steps: tuple[Block, ...] = ()
    max_iterations: int | str | None = None
    delay: float | str | None = None
    id: str | None = None
    name: str | None = None
    if_: str | None = None


Block: TypeAlias = Step | Parallel | Branch | Loop | While
"""One entry of a list of steps."""
