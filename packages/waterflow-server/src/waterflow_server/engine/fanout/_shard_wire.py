"""What a run and the shards of its large jobs say to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from waterflow_dsl.plan import TargetPlan
from waterflow_sdk.wire import AgentRef, JobState

from .._wire import EngineStruct, JobInput, ResumePoint, RunInput

SHARD_WORKFLOW = "WaterflowShard"
BRAKE_SIGNAL = "brake"

SHARD_SIZE = 100
"""Instances of a shard, and the most that a run starts by itself: measured, 1,000 in shards of 100 take 0.6 of the time
that they take side by side, and a hundredth of the run's history."""

_OWN = ("matrix", "item", "index", "strategy")
"""Contexts that differ between the instances of a job."""


class BrakeOrder(EngineStruct, frozen=True, kw_only=True):
    """Signal from a run to its shards. ``held``: start nothing until told otherwise; ``halted``: start nothing more,
    for this reason. What runs goes on.
    """

    held: bool = False
    halted: str = ""


class ShardMember(EngineStruct, frozen=True, kw_only=True):
    """One job instance of a shard: what it does not have in common with the first one; ``env`` None = the same."""

    instance: str
    name: str
    env: dict[str, str] | None
    contexts: dict[str, Any]
    target: TargetPlan
    agent: AgentRef | None = None
    host: AgentRef | None = None
    resume: ResumePoint | None = None
    calls: RunInput | None = None


class ShardInput(EngineStruct, frozen=True, kw_only=True):
    """Input of ``WaterflowShard``: some instances of one job. ``common`` is the input of any of them; ``told`` says
    that the run wants to hear of each failure at once.
    """

    common: JobInput
    members: list[ShardMember]
    max_parallel: int
    fail_fast: bool = False
    told: bool = False
    brake: BrakeOrder = BrakeOrder()


class ShardResult(EngineStruct, frozen=True, kw_only=True):
    """What a shard tells its run in the end: the states of its instances, without their steps."""

    jobs: list[JobState]


def shard_input(
    given: Sequence[JobInput], max_parallel: int, *, fail_fast: bool, told: bool, brake: BrakeOrder
) -> ShardInput:
    """The input of a shard that runs these instances. What they have in common is in it once."""
    return ShardInput(
        common=given[0],
        members=[
            ShardMember(
                instance=each.instance,
                name=each.name,
                env=each.env if each.env != given[0].env else None,
                contexts={key: each.contexts[key] for key in _OWN if key in each.contexts},
                target=each.job.target,
                agent=each.agent,
                host=each.host,
                resume=each.resume,
                calls=each.calls,
            )
            for each in given
        ],
        max_parallel=max_parallel,
        fail_fast=fail_fast,
        told=told,
        brake=brake,
    )


def member_input(common: JobInput, member: ShardMember) -> JobInput:
    """The input of one instance of a shard."""
    return msgspec.structs.replace(
        common,
        job=msgspec.structs.replace(common.job, target=member.target),
        instance=member.instance,
        name=member.name,
        env=common.env if member.env is None else member.env,
        contexts={**common.contexts, **member.contexts},
        agent=member.agent,
        host=member.host,
        resume=member.resume,
        calls=member.calls,
    )
