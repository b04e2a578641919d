"""How far a job is: its lists of records, its turns, its conclusion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from .._policy import RetryPolicy
from .._wire import Conclusion
from ._records import StepRecord


@dataclass(slots=True)
class Course:
    """The changing part of a job beside what its steps share; the fields are those of ``JobMemory``."""

    queued: datetime
    started: datetime | None = None
    patience: datetime | None = None
    timeout: float | None = None
    lists: list[list[StepRecord]] = field(default_factory=lambda: [[]])
    retry: RetryPolicy | None = None
    turns: int = 0
    due: float | None = None
    conclusion: Conclusion | None = None

    def records(self) -> Iterator[StepRecord]:
        """Every step and block at the top, in the order in which they run."""
        return (record for records in self.lists for record in records)
