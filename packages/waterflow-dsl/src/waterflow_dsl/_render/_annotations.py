"""For GitHub: one workflow command for each finding.

Source: GitHub's "Workflow commands", "Setting an error message".
"""

from __future__ import annotations

from collections.abc import Iterable

from waterflow_dsl._diagnostics import Diagnostic

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Lines of the form ``::error file=…,line=…,col=…::message``."""
    return "".join(f"{_command(each)}\n" for each in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    d = diagnostic
    properties = {
        "file": d.file,
        "line": d.line,
        "endLine": d.end_line,
        "col": d.column,
        "endColumn": d.end_column,
        "title": d.code,
    }
    given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    message = f"{d.message} ({d.hint})" if d.hint else d.message
    return f"::{_COMMANDS[d.severity]} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
