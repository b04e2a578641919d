"""What a job tells its run of its waits, so that the run and lists show them too.

Each note lengthens the run's history, which is never cut (a job's is, by roll-overs): a loop that waits ten thousand
times would end the run at Temporal's limit of 51,200 events. So a job has its share of notes; when they are spent its
run no longer shows that it waits, while the job itself still does.
"""

from __future__ import annotations

from temporalio import workflow

from waterflow_sdk.wire import State

from .._wire import NOTE_SIGNAL, JobNote

MOST_NOTES = 4_000
"""Notes that a run hears of all its jobs together: five events each, and a run has events for other things too."""

_LEAST = 2
"""Of one job, however many there are: that it waits, and that it goes on."""


def notes_share(most: int, jobs: int, instances: int) -> int:
    """The notes that each instance of a job has, where the run has ``most`` for its jobs; 0 = :data:`MOST_NOTES`."""
    return max((most or MOST_NOTES) // max(jobs * instances, 1), _LEAST)


class Notes:
    """The notes of one job instance: ``told`` so far, of ``most``; 0 = any number, as jobs had them before."""

    def __init__(self, job: str, instance: str, most: int, told: int = 0) -> None:
        self.told = told
        self._job = job
        self._instance = instance
        self._most = most
        self._waits = False

    async def tell(self, state: State, reason: str) -> None:
        """Let the run know that the job waits, or goes on. That it goes on is told as often as that it waits was."""
        waits = state is State.WAITING
        spent = self._most and self.told >= self._most
        if spent and (waits or not self._waits):
            return
        parent = workflow.info().parent
        if parent is not None:
            self.told += 1
            self._waits = waits
            note = JobNote(job=self._job, instance=self._instance, state=state, reason=reason)
            await workflow.get_external_workflow_handle(parent.workflow_id).signal(NOTE_SIGNAL, note)
