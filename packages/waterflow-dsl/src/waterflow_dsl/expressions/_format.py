"""The `format` function, and what can be known of its format string before anything runs."""

import re

import msgspec

from waterflow_dsl.expressions._coercion import kind_of, to_string
from waterflow_dsl.expressions._errors import RefusalError
from waterflow_dsl.expressions._frame import Frame

_PIECE = re.compile(r"(?P<text>[^{}]+)|(?P<escape>\{\{|\}\})|\{(?P<index>[0-9]+)(?::(?P<specifiers>(?:[^}]|\}\})*))?\}")
_MAX_INDEX_DIGITS = 9


class Placeholder(msgspec.Struct, frozen=True, gc=False):
    """`{index}` or `{index:specifiers}` in a format string."""

    index: int
    specifiers: str


def parse_format(text: str) -> tuple[str | Placeholder, ...] | None:
    """A format string as text and placeholders; None when a brace is neither doubled nor part of a placeholder."""
    pieces: list[str | Placeholder] = []
    position = 0
    while position < len(text):
        match = _PIECE.match(text, position)
        if match is None:
            return None
        position = match.end()
        if match["index"] is None:
            pieces.append(match["text"] or match["escape"][0])
        else:
            # An index longer than this is past every argument list, whatever its other digits.
            digits = match["index"].lstrip("0")[:_MAX_INDEX_DIGITS] or "0"
            pieces.append(Placeholder(int(digits), (match["specifiers"] or "").replace("}}", "}")))
    return tuple(pieces)


def format_problem(text: str, supplied: int) -> str | None:
    """What is wrong with a format string that is written down, in the words of GitHub's validator.

    Args:
        text: the format string.
        supplied: how many arguments follow it.

    Returns:
        `Invalid format string` (the caller adds the function's name), a whole sentence for a missing argument, or
        None.
    """
    pieces = parse_format(text)
    if pieces is None:
        return "Invalid format string"
    placeholders = [piece for piece in pieces if isinstance(piece, Placeholder)]
    if any(placeholder.specifiers for placeholder in placeholders):
        return "Invalid format string"
    highest = max((placeholder.index for placeholder in placeholders), default=-1)
    if highest >= supplied:
        return f"Format string references {{{highest}}} but only {supplied} argument(s) provided"
    return None


def format_text(frame: Frame, template: object, *arguments: object) -> str:
    """`format(template, …)`: `{0}` becomes the first argument as text, `{{` and `}}` become single braces.

    Raises:
        RefusalError: the template is malformed or refers to an argument that was not given.
    """
    text = to_string(template)
    pieces = parse_format(text)
    if pieces is None:
        raise RefusalError(f"The following format string is invalid: {text}")
    parts: list[str] = []
    for piece in pieces:
        part = piece if isinstance(piece, str) else _argument(text, piece, arguments)
        frame.charge(2 * len(part))
        parts.append(part)
    return "".join(parts)


def _argument(text: str, placeholder: Placeholder, arguments: tuple[object, ...]) -> str:
    if placeholder.index >= len(arguments):
        raise RefusalError(f"The following format string references more arguments than were supplied: {text}")
    value = arguments[placeholder.index]
    if placeholder.specifiers:
        kind = kind_of(value).capitalize()
        raise RefusalError(
            f"The format specifiers '{placeholder.specifiers}' are not valid for objects of type '{kind}'"
        )
    return to_string(value)
