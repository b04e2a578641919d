"""What people and other systems send to a running job: answers to approvals, named events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._wire import Answer, Event

MAX_EVENTS = 100
"""Events that a job keeps for a ``wait`` that has not begun; the oldest goes first."""


class Inbox:
    """Answers by the path of the approval that waits, events by name in the order they came."""

    def __init__(self, events: Sequence[Event], answers: Mapping[str, Answer]) -> None:
        self._open: dict[str, list[str]] = {}
        self.answers = dict(answers)
        self.events = list(events)
        """Those that nothing has taken."""

    def ask(self, path: str, approvers: list[str]) -> None:
        """An approval begins to wait; empty ``approvers`` = anybody may answer."""
        self._open[path] = approvers

    def close(self, path: str) -> None:
        """It no longer waits."""
        self._open.pop(path, None)

    def closed(self, path: str) -> bool:
        """Whether no approval waits there."""
        return path not in self._open

    def take_answer(self, path: str) -> Answer | None:
        """The answer to the approval at ``path``; it is gone then, so that the path can ask again."""
        return self.answers.pop(path, None)

    def refusal(self, answer: Answer) -> str:
        """Why an answer cannot be taken, in words; empty when it can."""
        if answer.path not in self._open:
            return f"no approval waits at {answer.path}"
        known = self.answers.get(answer.path)
        if known is not None and not known.same(answer):
            return f"{known.by or 'somebody unnamed'} has {known.word} it already"
        allowed = self._open[answer.path]
        if allowed and answer.by not in allowed:
            return f"{answer.by or 'somebody unnamed'} may not answer this approval; {', '.join(allowed)} may"
        return ""

    def answer(self, answer: Answer) -> None:
        """Take an answer that was not refused; the first one stays."""
        self.answers.setdefault(answer.path, answer)

    def answer_for(self, path: str) -> Answer | None:
        """The answer to the approval at ``path``, once it is there."""
        return self.answers.get(path)

    def deliver(self, event: Event) -> None:
        """Keep an event until something waits for it."""
        self.events = [*self.events, event][-MAX_EVENTS:]

    def has(self, name: str) -> bool:
        """Whether an event of that name has come and was not taken."""
        return any(event.name == name for event in self.events)

    def take(self, name: str) -> Any:
        """The payload of the oldest event of that name; it is gone then."""
        found = next(event for event in self.events if event.name == name)
        self.events.remove(found)
        return found.payload
