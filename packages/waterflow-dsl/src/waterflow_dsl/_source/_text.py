"""Bytes to text: size, encoding and characters that a file may not hold."""

from __future__ import annotations

import re

import msgspec

from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report, Span

MAX_BYTES = 8 * 1024 * 1024
"""Largest file that is read: 100,000 lines fit more than twice."""

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\ufeff]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class SourceText(msgspec.Struct, frozen=True):
    """The text of a file."""

    text: str

    def lines(self) -> list[str]:
        """The lines without their ends, numbered as the YAML reader numbers them."""
        return _BREAK.split(self.text)

    def place(self, offset: int) -> tuple[int, int]:
        """1-based line and column of an offset."""
        line, start = 1, 0
        for found in _BREAK.finditer(self.text, 0, offset):
            line, start = line + 1, found.end()
        return line, offset - start + 1


def decode(source: str | bytes, report: Report) -> SourceText | None:
    """The text of a file, or None after one diagnostic."""
    if len(source) > MAX_BYTES:
        megabytes = len(source) / 1024 / 1024
        _refuse(report, Code.TOO_LARGE, f"the file has {megabytes:.1f} MB; the limit is {MAX_BYTES // 1024 // 1024} MB")
        return None
    text = source if isinstance(source, str) else _from_bytes(source, report)
    if text is None:
        return None
    source_text = SourceText(text.removeprefix("\ufeff"))
    return None if _forbidden(source_text, report) else source_text


def _from_bytes(data: bytes, report: Report) -> str | None:
    if data.startswith(_UTF16):
        _refuse(report, Code.NOT_TEXT, "the file is UTF-16", "save it as UTF-8")
        return None
    if b"\0" in data:
        _refuse(report, Code.NOT_TEXT, "the file is binary: it holds NUL bytes", "give the name of a YAML file")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = SourceText(data[: error.start].decode("utf-8"))
        line, column = before.place(len(before.text))
        what = f"byte 0x{data[error.start]:02x} is not valid UTF-8"
        report.add(Code.NOT_TEXT, Span(line, column, line, column + 1), what, hint="save the file as UTF-8")
        return None


def _forbidden(source: SourceText, report: Report) -> bool:
    found = _FORBIDDEN.search(source.text)
    if found is None:
        return False
    line, column = source.place(found.start())
    character = ord(found.group())
    what = f"the character U+{character:04X} is not allowed"
    report.add(Code.CONTROL_CHARACTER, Span(line, column, line, column + 1), what, hint="delete it")
    return True


def _refuse(report: Report, code: Code, message: str, hint: str | None = None) -> None:
    report.add(code, Span(1, 1, 1, 1), message, hint=hint)
