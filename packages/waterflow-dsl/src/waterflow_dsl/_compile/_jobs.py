"""Jobs."""

from __future__ import annotations

from typing import Any

from waterflow_dsl import model
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._compile._policies import (
    compile_agent_loss,
    compile_concurrency,
    compile_environment,
    compile_for_each,
    compile_offline,
    compile_retry,
    compile_strategy,
    timeout_of,
)
from waterflow_dsl._compile._rollout import compile_rollout
from waterflow_dsl._compile._steps import Defaults, compile_steps
from waterflow_dsl._compile._target import compile_target
from waterflow_dsl._compile._values import env_text
from waterflow_dsl._conditions import with_success
from waterflow_dsl._confinement import levels_of
from waterflow_dsl.plan import CallPlan, JobPlan


def compile_job(
    job_id: str, job: model.Job, file_defaults: model.JobDefaults | None, catalog: Catalog | None
) -> JobPlan:
    """One job with the defaults of file and job folded into its steps."""
    levels = tuple(each for each in (job.defaults, file_defaults) if each is not None)
    defaults = Defaults(levels=levels, catalog=catalog, around=levels_of(job, file_defaults))
    runs_on: Any = job.runs_on
    for level in levels:
        runs_on = level.runs_on if runs_on is None else runs_on
    return JobPlan(
        id=job_id,
        name=job.name or job_id,
        needs=job.needs,
        condition=with_success(job.if_),
        target=compile_target(runs_on),
        strategy=compile_strategy(job.strategy),
        for_each=compile_for_each(job),
        rollout=compile_rollout(job.rollout, defaults),
        offline=compile_offline(job.offline),
        agent_loss=compile_agent_loss(job.agent_loss),
        env=env_text(job.env),
        timeout=timeout_of(job),
        retry=compile_retry(job.retry),
        continue_on_error=job.continue_on_error,
        concurrency=compile_concurrency(job.concurrency),
        environment=compile_environment(job.environment),
        outputs=job.outputs,
        steps=compile_steps(job.steps, "steps", defaults),
        on_failure=compile_steps(job.on_failure, "on-failure", defaults),
        finally_=compile_steps(job.finally_, "finally", defaults),
        call=_call(job),
        line=job.node.line,
    )


def _call(job: model.Job) -> CallPlan | None:
    if job.uses is None:
        return None
    inherits = job.secrets == "inherit"
    secrets = {} if isinstance(job.secrets, str) else job.secrets
    return CallPlan(workflow=job.uses, inputs=job.with_, secrets=secrets, inherit_secrets=inherits)
