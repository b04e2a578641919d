"""Workflow commands: lines of output such as ``::error file=a.py,line=3::message``.

Source: GitHub, "Workflow commands for GitHub Actions"; escapes as in the toolkit's ``command.ts``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from waterflow_sdk import Line, NodeContext

_COMMAND = re.compile(r"\s*::(?P<name>[A-Za-z][A-Za-z-]*)(?: (?P<properties>[^\n]*?))?::(?P<value>.*)", re.DOTALL)
_PLACE = {
    "file": "file",
    "title": "title",
    "line": "line",
    "col": "column",
    "endLine": "end_line",
    "endColumn": "end_column",
}
_REMOVED = {"set-env": "GITHUB_ENV", "add-path": "GITHUB_PATH"}  # GitHub removed them: output could inject variables


class CommandReader:
    """Takes the lines of a script's output: acts on commands, hands all other lines on.

    ``emit`` gets text for the step's log. After ``::stop-commands::token`` nothing is a command until ``::token::``.
    """

    def __init__(self, ctx: NodeContext, emit: Callable[[str], None]) -> None:
        self._ctx = ctx
        self._emit = emit
        self._stopped: str | None = None
        self._continues = False

    def __call__(self, lines: Sequence[Line]) -> None:
        """Handle a batch of lines."""
        text: list[str] = []
        for line in lines:
            whole = not (line.partial or self._continues)
            self._continues = line.partial
            if whole and "::" in line.text and (match := _COMMAND.match(line.text)):
                self._flush(text)
                if self._command(match):
                    continue
            text.append(line.text if line.partial else line.text + "\n")
        self._flush(text)

    def _flush(self, text: list[str]) -> None:
        if text:
            self._emit("".join(text))
            text.clear()

    def _command(self, match: re.Match[str]) -> bool:
        """Whether the line was a command and is done with."""
        name, value = match["name"].lower(), _unescape(match["value"])
        if self._stopped is not None:
            if match["name"] == self._stopped:
                self._stopped = None
                return True
            return False
        properties = _properties(match["properties"] or "")
        return self._annotate(name, value, properties) or self._act(name, value, properties)

    def _annotate(self, name: str, value: str, properties: dict[str, str]) -> bool:
        log = self._ctx.log
        write = {"error": log.error, "warning": log.warning, "notice": log.info}.get(name)
        if write:
            write(value, **_place(properties))
        elif name == "group":
            log.group(value)
        elif name == "endgroup":
            log.end_group()
        else:
            return False
        return True

    def _act(self, name: str, value: str, properties: dict[str, str]) -> bool:
        if name == "add-mask":
            self._ctx.add_mask(value)
        elif name == "set-output" and "name" in properties:
            self._ctx.set_output(properties["name"], value)
        elif name == "stop-commands" and value:
            self._stopped = value
        elif name in _REMOVED:
            self._ctx.log.warning(
                f"the command ::{name}:: does nothing: write to the file in ${_REMOVED[name]} instead"
            )
        else:
            return False
        return True


def _properties(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(","))
    return {name.strip(): _unescape(value, properties=True) for name, _, value in pairs if name.strip()}


def _place(properties: dict[str, str]) -> dict[str, str | int]:
    place = {known: properties[name] for name, known in _PLACE.items() if name in properties}
    return {name: int(value) if value.isdecimal() else value for name, value in place.items()}


def _unescape(text: str, *, properties: bool = False) -> str:
    escapes = {"%0D": "\r", "%0A": "\n", "%25": "%"} | ({"%3A": ":", "%2C": ","} if properties else {})
    return re.sub("|".join(escapes), lambda match: escapes[match[0]], text)
