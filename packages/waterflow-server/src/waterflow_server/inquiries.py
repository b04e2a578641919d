"""What a run's inquiry lets a server do for it: who is to be asked, from what the run was started with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.client import Client

from .inquiry import DEMANDS_ACTIVITY, Demands
from .planning import demands_of
from .presence import AgentRegistry
from .runs import Runs, read_plan


class InquiryActivities:
    """The activity, with what it reads."""

    def __init__(self, client: Client) -> None:
        self._runs = Runs(client)
        self._agents = AgentRegistry(client)

    @activity.defn(name=DEMANDS_ACTIVITY)
    async def find_demands(self, run_id: str) -> Demands:
        """The secrets that the run's jobs need of the agents that are there now. Raises RunNotFound, PlanUnreadable."""
        run, agents = await asyncio.gather(self._runs.started_with(run_id), self._agents.list())
        plan = read_plan(run.plan, run_id)
        called = {key: read_plan(raw, run_id) for key, raw in run.workflows.plans.items()}
        return await asyncio.to_thread(demands_of, run, plan, called, agents)


def inquiry_activities(client: Client) -> list[Callable[..., Any]]:
    """The activities for the server's worker on the orchestrator queue."""
    return [InquiryActivities(client).find_demands]
