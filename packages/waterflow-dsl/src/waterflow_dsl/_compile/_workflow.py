"""The file."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._compile._jobs import compile_job
from waterflow_dsl._compile._policies import compile_concurrency, timeout_of
from waterflow_dsl._compile._values import env_text
from waterflow_dsl._conditions import plain
from waterflow_dsl.plan import InputPlan, InputType, Plan, SchedulePlan, SecretPlan, WebhookPlan


def compile_workflow(workflow: model.Workflow, filename: str, catalog: Catalog | None, secrets: frozenset[str]) -> Plan:
    """The plan of a model without errors; ``secrets`` are the names that its expressions read."""
    triggers = workflow.on
    call = triggers.call if triggers else None
    return Plan(
        name=workflow.name or _stem(filename),
        jobs=tuple(compile_job(name, job, workflow.defaults, catalog) for name, job in workflow.jobs.items()),
        language=workflow.version or "1.0",
        source=filename,
        title=workflow.run_name or "",
        description=workflow.description,
        inputs=_inputs(triggers),
        vars=workflow.vars,
        secrets=_secrets(workflow, secrets),
        env=env_text(workflow.env),
        outputs={name: _output(output) for name, output in call.outputs.items()} if call else {},
        schedules=tuple(_schedule(each) for each in triggers.schedule) if triggers else (),
        webhook=_webhook(triggers),
        callable=triggers is not None and "call" in triggers.names,
        concurrency=compile_concurrency(workflow.concurrency),
        timeout=timeout_of(workflow),
    )


def _stem(filename: str) -> str:
    name = filename.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _inputs(triggers: model.Triggers | None) -> dict[str, InputPlan]:
    if triggers is None:
        return {}
    declared = {
        **(triggers.call.inputs if triggers.call else {}),
        **(triggers.manual.inputs if triggers.manual else {}),
    }
    return {name: _input(each) for name, each in declared.items()}


def _input(declared: model.Input | None) -> InputPlan:
    if declared is None:
        return InputPlan()
    kind = "string" if declared.type in (None, "environment") else declared.type
    return InputPlan(
        type=InputType(kind),
        required=declared.required,
        default=declared.default,
        description=declared.description,
        options=declared.options,
    )


def _secrets(workflow: model.Workflow, used: frozenset[str]) -> dict[str, SecretPlan]:
    """Declared secrets, and those that are read without a declaration, which are required. Names ignore case."""
    call = workflow.on.call if workflow.on else None
    declared = {**(call.secrets if call else {}), **workflow.secrets}
    known = {name.lower() for name in declared} | {"github_token"}
    found = {name: _secret(each) if each else SecretPlan(required=True) for name, each in declared.items()}
    return found | {name: SecretPlan(required=True) for name in sorted(used) if name.lower() not in known}


def _secret(declared: model.Secret) -> SecretPlan:
    return SecretPlan(
        required=declared.required,
        description=declared.description,
        source=declared.from_,
        reader=declared.on or "agent",
    )


def _output(output: model.CallOutput | str) -> str:
    return output if isinstance(output, str) else output.value or ""


def _schedule(schedule: model.Schedule) -> SchedulePlan:
    return SchedulePlan(
        cron=schedule.cron or "",
        timezone=schedule.timezone,
        overlap=schedule.overlap,
        catch_up=schedule.catch_up,
        jitter=schedule.jitter,
    )


def _webhook(triggers: model.Triggers | None) -> WebhookPlan | None:
    if triggers is None or "webhook" not in triggers.names:
        return None
    webhook = triggers.webhook
    if webhook is None:
        return WebhookPlan()
    return WebhookPlan(secret=webhook.secret, condition=None if webhook.if_ is None else plain(webhook.if_))
