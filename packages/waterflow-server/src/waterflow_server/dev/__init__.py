"""The embedded stack: a Temporal server of one's own, the Waterflow server and some local agents.

`EmbeddedTemporal` alone is what tests and `waterflow server start` without a Temporal use; `find_temporal` gets its
binary. `DevStack` runs everything. All errors are `DevError` with a code and a message that says what to do.
"""

from ._binary import TemporalBinary
from ._errors import (
    DataDirectoryInUse,
    DevError,
    KeyRingInvalid,
    NotReady,
    PortInUse,
    SettingInvalid,
    StackFailed,
    TemporalFailed,
    TemporalNotFound,
)
from ._find import find_temporal
from ._keys import ensure_key_ring
from ._settings import TemporalSettings
from ._stack import DevStack, StackSettings
from ._temporal import EmbeddedTemporal

__all__ = [
    "DataDirectoryInUse",
    "DevError",
    "DevStack",
    "EmbeddedTemporal",
    "KeyRingInvalid",
    "NotReady",
    "PortInUse",
    "SettingInvalid",
    "StackFailed",
    "StackSettings",
    "TemporalBinary",
    "TemporalFailed",
    "TemporalNotFound",
    "TemporalSettings",
    "ensure_key_ring",
    "find_temporal",
]
