"""Terminals: whether there is one, whether it has colour, and text that can do it no harm."""

from __future__ import annotations

import os
import re
import sys
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 100_000
"""Columns where there is no terminal: whoever reads lines wants them whole."""

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI (ECMA-48, 5.4)
    r"|[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC, DCS, SOS, PM, APC (5.6), up to their terminator
    r"|[ -/]*[0-~])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")


def is_terminal(stream: IO[Any]) -> bool:
    """Whether somebody looks at ``stream``, on a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: IO[Any]) -> bool:
    """Whether ``stream`` gets colour: a terminal, unless NO_COLOR is set (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def make_console(stream: IO[Any] | None = None) -> Console:
    """A rich console on ``stream`` (stdout)."""
    from rich.console import Console

    out: IO[Any] = stream if stream is not None else sys.stdout
    terminal = is_terminal(out)
    return Console(
        file=out,
        force_terminal=terminal,
        no_color=not has_colour(out),
        highlight=False,
        markup=False,
        emoji=False,
        width=None if terminal else WIDE,
    )


def clean(text: str, *, colour: bool) -> str:
    """A line of somebody's output without what moves the cursor or renames the window; colours may stay."""
    if "\x1b" in text:
        text = _SEQUENCE.sub(lambda found: found[0] if colour and _COLOUR.fullmatch(found[0]) else "", text)
        if colour and "\x1b" in text:
            text += "\x1b[0m"
        else:
            text = text.replace("\x1b", "")
    # A progress bar that draws over itself: what would be seen in the end is the part after the last CR.
    return _CONTROL.sub("", text.rstrip("\r").rpartition("\r")[2])
