"""The fields of the contexts that are the same in every workflow: one spelling, the one the reference lists.

Source of GitHub's: "Contexts reference".
"""

from __future__ import annotations

from waterflow_dsl._analysis._shapes import OPEN, Closed, Shape, closed

RUN = closed(
    "`run`",
    "id name title number attempt started-at started-by trigger labels tenant url parent-id retry-of",
)
WORKFLOW = closed("`workflow`", "name version file source hash")
AGENT = closed("`agent`", "id name host os arch groups tags version ip")
RUNNER = closed("`runner`", "name os arch temp tool_cache debug environment workspace")
STRATEGY = closed("`strategy`", "fail-fast job-index job-total max-parallel")
JOB: Shape = Closed(
    {
        **dict.fromkeys(("status", "id", "name", "instance", "check_run_id", "workflow_ref"), OPEN),
        "container": OPEN,
        "services": OPEN,
    },
    "`job` has no `{}`",
)
GITHUB: Shape = Closed(
    dict.fromkeys(
        [
            "action",
            "action_path",
            "action_ref",
            "action_repository",
            "action_status",
            "actor",
            "actor_id",
            "api_url",
            "base_ref",
            "env",
            "event",
            "event_name",
            "event_path",
            "graphql_url",
            "head_ref",
            "job",
            "path",
            "ref",
            "ref_name",
            "ref_protected",
            "ref_type",
            "repository",
            "repository_id",
            "repository_owner",
            "repository_owner_id",
            "repositoryUrl",
            "retention_days",
            "run_attempt",
            "run_id",
            "run_number",
            "secret_source",
            "server_url",
            "sha",
            "token",
            "triggering_actor",
            "workflow",
            "workflow_ref",
            "workflow_sha",
            "workspace",
            "artifact_cache_size_limit",
            "repository_visibility",
        ],
        OPEN,
    ),
    "`github` has no `{}`",
)

FIXED: dict[str, Shape] = {
    "run": RUN,
    "workflow": WORKFLOW,
    "agent": AGENT,
    "runner": RUNNER,
    "strategy": STRATEGY,
    "job": JOB,
    "github": GITHUB,
    "event": OPEN,
    "env": OPEN,
    "item": OPEN,
    "index": OPEN,
}
"""Shapes of the contexts that no declaration in the file changes."""
