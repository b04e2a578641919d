"""For code scanning: SARIF 2.1.0 (OASIS)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from waterflow_dsl._codes import CODES, Code
from waterflow_dsl._diagnostics import Diagnostic

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """One run with its results, and the rules that they refer to."""
    found = list(diagnostics)
    codes = sorted({each.code for each in found})
    driver = {"name": "waterflow", "rules": [_rule(Code(code)) for code in codes]}
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes) for each in found],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _rule(code: Code) -> dict[str, Any]:
    info = CODES[code]
    return {
        "id": code.value,
        "shortDescription": {"text": info.title},
        "fullDescription": {"text": info.explanation},
        "defaultConfiguration": {"level": _LEVELS[info.severity.value]},
    }


def _result(diagnostic: Diagnostic, codes: list[str]) -> dict[str, Any]:
    d = diagnostic
    region = {"startLine": d.line, "startColumn": d.column, "endLine": d.end_line, "endColumn": d.end_column}
    location = {"artifactLocation": {"uri": quote(d.file)}, "region": region}
    message = f"{d.message} ({d.hint})" if d.hint else d.message
    return {
        "ruleId": d.code,
        "ruleIndex": codes.index(d.code),
        "level": _LEVELS[d.severity],
        "message": {"text": message},
        "locations": [{"physicalLocation": location}],
    }
