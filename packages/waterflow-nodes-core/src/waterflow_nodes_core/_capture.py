"""Keeping the beginning of a script's output as an output of its step."""

from __future__ import annotations

MAX_STDOUT = 32 * 1024
"""Bytes of standard output that the ``stdout`` output keeps."""


class Capture:
    """Keeps up to :data:`MAX_STDOUT` bytes of text, and counts the rest."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._room = MAX_STDOUT
        self._total = 0

    def write(self, text: str) -> None:
        """Append text."""
        data = text.encode("utf-8", "replace")
        self._total += len(data)
        if self._room > 0:
            self._kept.append(data[: self._room])
            self._room -= len(self._kept[-1])

    @property
    def text(self) -> str:
        """What was kept, without white space at its ends; a last line says if something was cut."""
        kept = b"".join(self._kept).decode("utf-8", "ignore").strip()
        if self._total <= MAX_STDOUT:
            return kept
        return f"{kept}\n[cut: the first {MAX_STDOUT:,} of {self._total:,} bytes; the step's log has all of it]"
