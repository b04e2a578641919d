"""The manifests of an agent's nodes are kept before it is shown as online. Called from its workflow."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from waterflow_sdk.wire import MANIFESTS_ACTIVITY, AgentHello, NodeManifest, control_queue

from ._wire import MISSING_MANIFESTS_ACTIVITY, STORE_MANIFESTS_ACTIVITY

_TIMEOUT = timedelta(seconds=60)
_AT_ONCE = 25  # keeps a batch far below the 2 MB of one payload


async def learn_manifests(hello: AgentHello) -> set[str]:
    """Asks the agent for the manifests that are not stored yet, and stores them. Answers the digests of those that are
    stored then: a node may have gone since the hello. Raises ActivityError.
    """
    digests = sorted(set(hello.nodes.values()))
    missing = await workflow.execute_activity(
        MISSING_MANIFESTS_ACTIVITY, digests, result_type=list[str], start_to_close_timeout=_TIMEOUT
    )
    known = {*digests} - {*missing}
    for start in range(0, len(missing), _AT_ONCE):
        known |= await _learn(hello, missing[start : start + _AT_ONCE])
    return known


async def _learn(hello: AgentHello, digests: list[str]) -> set[str]:
    manifests = await workflow.execute_activity(
        MANIFESTS_ACTIVITY,
        digests,
        result_type=list[NodeManifest],
        task_queue=control_queue(hello.id),
        schedule_to_start_timeout=timedelta(seconds=hello.heartbeat_timeout),
        start_to_close_timeout=timedelta(seconds=hello.heartbeat_timeout),
        retry_policy=RetryPolicy(maximum_attempts=2),
    )
    await workflow.execute_activity(
        STORE_MANIFESTS_ACTIVITY,
        manifests,
        start_to_close_timeout=_TIMEOUT,
        retry_policy=RetryPolicy(maximum_attempts=5),
    )
    return {manifest.digest for manifest in manifests}
