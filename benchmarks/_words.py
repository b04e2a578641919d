"""What a process of a benchmark says to the one that started it, apart from what its libraries print."""

from __future__ import annotations

import os


class Words:
    """Lines on what was the standard output. Temporal's core writes its warnings there; from now on they, and all that
    anybody else prints, go to the standard error.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def say(self, text: str) -> None:
        """One line."""
        print(text, file=self._out, flush=True)
