"""What can go wrong with the embedded stack, as one tree.

DevError
├── SettingInvalid        a setting or an environment variable has a value that it may not have
├── TemporalNotFound      no usable Temporal binary in any place, and none could be fetched
├── TemporalFailed        the Temporal server did not start, or ended by itself
├── PortInUse             a port that was asked for is taken
├── DataDirectoryInUse    another living instance holds the data directory
├── KeyRingInvalid        the file with the encryption keys cannot be used
├── NotReady              a part of the stack did not answer in time
└── StackFailed           a part of the stack ended too often
"""

# A name says the condition that was met, so the tree reads as a list of what can happen.

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class DevError(Exception):
    """Base of all errors of the embedded stack.

    `code` is stable and for programs, `message` is one text for people that says what, where and what to do,
    `details` holds the same facts as plain data.
    """

    code: ClassVar[str] = "dev-error"

    def __init__(self, message: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = dict(details or {})


class SettingInvalid(DevError):
    """A setting has a value that it may not have."""

    code = "setting-invalid"


class TemporalNotFound(DevError):
    """No usable Temporal binary was found and none could be fetched.

    `details["tried"]` is a list of `{"place": …, "reason": …}` in the order of the search.
    """

    code = "temporal-not-found"


class TemporalFailed(DevError):
    """The Temporal server did not start or ended by itself; the message ends with the last lines of its log."""

    code = "temporal-failed"


class PortInUse(DevError):
    """A port that was asked for is taken by another program."""

    code = "port-in-use"


class DataDirectoryInUse(DevError):
    """Another living instance holds the data directory."""

    code = "data-directory-in-use"


class KeyRingInvalid(DevError):
    """The file with the encryption keys is unreadable, malformed or open to other users."""

    code = "key-ring-invalid"


class NotReady(DevError):
    """A part of the stack did not answer in time; the message names it and ends with the last lines of its log."""

    code = "not-ready"


class StackFailed(DevError):
    """A part of the stack ended more often than it may be restarted."""

    code = "stack-failed"
