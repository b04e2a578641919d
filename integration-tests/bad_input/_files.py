"""Files that are no workflow, and what is said of each: by the command on stderr, by the API in a problem's detail."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

NAME = "flow.yaml"


class BadFile(NamedTuple):
    """``said`` is everything on stderr of the command; ``detail`` what the API answers, None where it can have none."""

    name: str
    content: bytes
    said: str
    detail: str | None = None


def diagnosed(line: int, column: int, code: str, message: str, source: str, marked: int, hint: str) -> str:
    """A diagnostic as the command shows it, with the line of the file."""
    shown = f" {line} | {source}\n   | {' ' * (column - 1)}{'^' * marked}\n" if source else ""
    return (
        f"{NAME}:{line}:{column}: error {code}: {message}\n{shown}   = hint: {hint}\n\n"
        f"1 error\n\nerror: {NAME} has 1 error; nothing was started\n"
    )


NOT_YAML = (
    "not valid YAML: did not find expected ',' or ']', while parsing a flow sequence that starts in line 1",
    "close the bracket or add a comma; a text that holds `{` or `[` needs quotes",
)
EMPTY = ("the file is empty", "a workflow starts with `jobs:`")
STEPS = b"    steps:\n      - run: echo\n"

FILES = [
    BadFile(
        "not YAML",
        b"name: [open\njobs: {}\n",
        diagnosed(2, 5, "WF1001", NOT_YAML[0], "jobs: {}", 1, NOT_YAML[1]),
        f"{NAME}:2:5: {NOT_YAML[0]}; {NOT_YAML[1]}",
    ),
    BadFile(
        "a list",
        b"- a\n",
        diagnosed(1, 1, "WF1101", "a workflow is a mapping, not a list", "- a", 1, EMPTY[1]),
        f"{NAME}:1:1: a workflow is a mapping, not a list; {EMPTY[1]}",
    ),
    BadFile(
        "a text",
        b"just words\n",
        diagnosed(1, 1, "WF1101", "a workflow is a mapping, not text", "just words", 10, EMPTY[1]),
        f"{NAME}:1:1: a workflow is a mapping, not text; {EMPTY[1]}",
    ),
    BadFile(
        "empty",
        b"",
        diagnosed(1, 1, "WF1002", EMPTY[0], "", 0, EMPTY[1]),
        f"{NAME}:1:1: {EMPTY[0]}; {EMPTY[1]}",
    ),
    BadFile(
        "only a comment",
        b"# soon\n",
        diagnosed(1, 1, "WF1002", EMPTY[0], "# soon", 1, EMPTY[1]),
        f"{NAME}:1:1: {EMPTY[0]}; {EMPTY[1]}",
    ),
    BadFile(
        "binary",
        b"\x7fELF\x02\x01\x00\x00",
        f"error: '{NAME}' is binary, not a workflow file\nhint: a workflow file is YAML in UTF-8\n",
    ),
    BadFile(
        "not UTF-8",
        b"name: x\ndescription: caf\xe9\n",
        f"error: {NAME}:2: byte 0xe9 is not UTF-8\nhint: save the file as UTF-8\n",
        "the workflow file is not UTF-8 text: byte 24 is 0xe9",
    ),
    BadFile(
        "an unknown key of a job",
        b"name: x\njobs:\n  a:\n    run-on: web\n" + STEPS,
        diagnosed(4, 5, "WF1102", "unknown key `run-on` in a job", "    run-on: web", 6, "did you mean `runs-on`?"),
        f"{NAME}:4:5: unknown key `run-on` in a job; did you mean `runs-on`?",
    ),
    BadFile(
        "an unknown key of the file",
        b"nmae: x\njobs:\n  a:\n    runs-on: web\n" + STEPS,
        diagnosed(1, 1, "WF1102", "unknown key `nmae` in a workflow file", "nmae: x", 4, "did you mean `name`?"),
        f"{NAME}:1:1: unknown key `nmae` in a workflow file; did you mean `name`?",
    ),
    BadFile(
        "a job that needs itself",
        b"name: x\njobs:\n  a:\n    runs-on: web\n    needs: a\n" + STEPS,
        diagnosed(5, 12, "WF1501", "the job `a` needs itself", "    needs: a", 1, "remove it"),
        f"{NAME}:5:12: the job `a` needs itself; remove it",
    ),
]

KNOWN_TO_THE_SERVER = [
    BadFile(
        "an unknown node",
        b"name: x\njobs:\n  a:\n    runs-on: web\n    steps:\n      - uses: http/requst\n        with: {url: http://x}\n",
        diagnosed(
            6,
            15,
            "WF1401",
            "unknown node `http/requst`",
            "      - uses: http/requst",
            11,
            "did you mean `http/request`?",
        ),
        f"{NAME}:6:15: unknown node `http/requst`; did you mean `http/request`?",
    ),
    BadFile(
        "an unknown group",
        b"name: x\njobs:\n  a:\n    runs-on: wep\n" + STEPS,
        diagnosed(4, 14, "WF1701", "unknown group `wep`", "    runs-on: wep", 3, "did you mean `web`?"),
        f"{NAME}:4:14: unknown group `wep`; did you mean `web`?",
    ),
]


def write(home: Path, bad: BadFile) -> None:
    """The file, under the name that the messages have."""
    (home / NAME).write_bytes(bad.content)
