"""What changes is said once, not every second."""

from __future__ import annotations

import logging

logger = logging.getLogger("waterflow.agent")


class Notices:
    """The last thing that was said about each subject."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def say(self, subject: str, level: int, text: str) -> None:
        """Logs a text unless it was the last one about the subject."""
        if self._said.get(subject) != text:
            self._said[subject] = text
            logger.log(level, text)

    def clear(self, subject: str, text: str) -> None:
        """Logs that a subject is well again, if something was said about it."""
        if self._said.pop(subject, None) is not None:
            logger.info(text)
