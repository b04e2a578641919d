"""``rollout``."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._compile._steps import Defaults, compile_steps
from waterflow_dsl._duration import parse_duration
from waterflow_dsl.plan import RolloutPlan

APPROVAL = "approval"


def compile_rollout(rollout: model.Rollout | None, defaults: Defaults) -> RolloutPlan | None:
    """How a job goes over its group; ``batch: 5`` is one size for every batch."""
    if rollout is None:
        return None
    batches = rollout.batches or ((rollout.batch,) if rollout.batch else ())
    by_approval = rollout.pause_between == APPROVAL
    pause = None if by_approval or rollout.pause_between is None else parse_duration(rollout.pause_between)
    return RolloutPlan(
        batches=tuple(_count(batch) for batch in batches),
        max_failures=_count(rollout.max_failures or "0"),
        on_threshold=rollout.on_threshold,
        pause_between=pause,
        approval_between=by_approval,
        check=compile_steps(rollout.check, "rollout.check", defaults),
        order=rollout.order,
    )


def _count(text: str) -> int | str:
    return text if text.endswith("%") else int(text)
