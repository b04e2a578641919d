"""Names of coordinators and members."""

from __future__ import annotations

import hashlib


def lock_workflow_id(group: str) -> str:
    """Workflow id of a group's coordinator: a digest, because ids are not encrypted and groups are made of inputs.

    Upper and lower case do not matter (GitHub, "Control the concurrency of workflows and jobs").
    """
    return f"lock/{hashlib.sha256(group.casefold().encode()).hexdigest()[:32]}"


def is_run(member: str) -> bool:
    """Whether a member is a run, which has job workflows below its id."""
    return member.count("/") == 1


def in_words(member: str) -> str:
    """A member as people know it: ``run 20261121-k3x9``, ``job deploy[web-01] of run 20261121-k3x9``."""
    run, _, instance = member.removeprefix("run/").partition("/")
    if instance.endswith(".run"):
        return f"the workflow that {instance.removesuffix('.run')} of run {run} calls"
    return f"job {instance} of run {run}" if instance else f"run {run}"
