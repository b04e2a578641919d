"""Making what a node gives fit to travel: text that UTF-8 can hold, errors that JSON can hold and that are small."""

from __future__ import annotations

from typing import Any

import msgspec

from ..wire import ErrorInfo
from ._errors import NodeError

MAX_MESSAGE = 8_000
"""Characters of an error's message; what is longer is cut."""

MAX_DETAILS = 64 * 1024
"""Bytes of an error's details as JSON; larger ones are left out, because errors go into histories."""


def sound(text: str) -> str:
    """The text with U+FFFD for what UTF-8 cannot hold: lone surrogates, as in the name of a file that is no UTF-8."""
    if is_sound(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_sound(text: str) -> bool:
    """Whether UTF-8 can hold the text."""
    if text.isascii():  # known without looking at it
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def error_info(error: NodeError) -> ErrorInfo:
    """The error that a node raised, whatever it put into it; not masked yet."""
    try:
        info = error.to_info()
        return ErrorInfo(
            code=sound(str(info.code)),
            message=cut(sound(str(info.message))),
            retryable=bool(info.retryable),
            details=_json(dict(info.details)),
        )
    # A subclass of a stranger may do anything in to_info, in __str__ or as a mapping.
    except Exception as broken:
        what = f"{type(error).__name__} that cannot be read: {type(broken).__name__}: {broken}"
        return ErrorInfo(code=NodeError.default_code, message=cut(what))


def exit_code(error: NodeError) -> int | None:
    """The exit code behind the error, if it is one."""
    code: object = error.exit_code
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def cut(text: str) -> str:
    """Not more of a message than an error can carry."""
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…"


def _json(details: dict[str, Any]) -> dict[str, Any]:
    plain = _sound_data(msgspec.to_builtins(details, str_keys=True, enc_hook=str))
    if (size := len(msgspec.json.encode(plain))) > MAX_DETAILS:
        return {"left_out": f"the details of this error took {size:,} bytes, more than {MAX_DETAILS:,}"}
    return plain


def _sound_data(value: Any) -> Any:
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, dict):
        return {sound(str(key)): _sound_data(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [_sound_data(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
