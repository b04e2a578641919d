"""What agent and keeper say to each other over their Unix socket: messages of a kind and some fields of bytes.

A message is its length (4 bytes, big endian), one byte for its kind, then each field behind its own length. Numbers
travel as decimal text. Agent and keeper may be of different versions: the keeper outlives an upgrade of the agent.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = b"1"
"""Of the messages. An agent ends a keeper of another version, with what it holds."""

# Agent to keeper
HELLO = b"h"
"""version. Answered by WELCOME, ATTEMPT and PROCESS for all that is held, and LISTED."""
START = b"s"
"""request, attempt, context, note, key, grace, deadline or nothing, cwd, whether there is stdin, stdin, count of
arguments, arguments, environment."""
ATTACH = b"a"
"""serial, events that the agent has: later ones follow, those of now and those to come."""
TAKEN = b"t"
"""serial, events that the agent has: they may be forgotten."""
NOTE = b"n"
"""attempt, a note that is given back with its context."""
FENCE = b"f"
"""attempt, deadline: seconds of CLOCK_BOOTTIME at which its processes are ended, unless another FENCE says later."""
RELEASE = b"r"
"""attempt: it is over. What may still run of it is killed."""

# Keeper to agent
WELCOME = b"w"
"""version."""
ATTEMPT = b"A"
"""attempt, context, note, deadline or nothing, whether it was fenced."""
PROCESS = b"P"
"""attempt, serial, process id or nothing where the number may be another's by now, seconds of CLOCK_BOOTTIME at its
start, key, events that were taken, arguments joined by NUL. In the order in which they were started."""
LISTED = b"L"
"""Nothing: that was all."""
STARTED = b"S"
"""request, serial, process id."""
FAILED = b"F"
"""request, errno, file name."""
EVENT = b"E"
"""serial, what (one of the next), data."""

# What an event says
OUTPUT = (b"0", b"1", b"2")
"""At the index of the descriptor: output on it."""
CLOSED = b"c"
"""Nothing more comes on the descriptor in the data."""
EXITED = b"x"
"""The process has ended: exit code or negative signal number, and FENCED behind it if the keeper ended it."""

FENCED = b" fenced"

_HEAD = 5
_LONGEST = 256 * 1024 * 1024


def message(kind: bytes, *fields: bytes) -> bytes:
    """One message, ready to be sent."""
    body = b"".join([part for field in fields for part in (len(field).to_bytes(4, "big"), field)])
    return (len(body) + 1).to_bytes(4, "big") + kind + body


def number(value: float) -> bytes:
    """A number as a field."""
    return repr(value).encode()


class Inbox:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, list[bytes]]]:
        """Kind and fields of each message that is now complete. Raises ValueError for what is none."""
        self._data += data
        at = 0
        while len(self._data) - at >= _HEAD:
            end = at + 4 + int.from_bytes(self._data[at : at + 4], "big")
            if not at + _HEAD <= end <= at + _LONGEST:
                raise ValueError("no message of agent and keeper")
            if len(self._data) < end:
                break
            yield bytes(self._data[at + 4 : at + _HEAD]), _fields(self._data, at + _HEAD, end)
            at = end
        del self._data[:at]


def _fields(data: bytearray, at: int, end: int) -> list[bytes]:
    found: list[bytes] = []
    while at < end:
        start = at + 4
        at = start + int.from_bytes(data[at:start], "big")
        if at > end:
            raise ValueError("a field is longer than its message")
        found.append(bytes(data[start:at]))
    return found
