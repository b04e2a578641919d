"""The embedded stack: a Temporal server of one's own, the Waterflow server and some local agents.

`EmbeddedTemporal` alone is what tests and `waterflow server start` without a Temporal use; `find_temporal` gets its
binary. All errors are `DevError` with a code and a message that says what to do.
"""

from ._binary import TemporalBinary
from ._errors import (
    DataDirectoryInUse,
    DevError,
    NotReady,
    PortInUse,
    SettingInvalid,
    TemporalFailed,
    TemporalNotFound,
)
from ._find import find_temporal
from ._settings import TemporalSettings
from ._temporal import EmbeddedTemporal

__all__ = [
    "DataDirectoryInUse",
    "DevError",
    "EmbeddedTemporal",
    "NotReady",
    "PortInUse",
    "SettingInvalid",
    "TemporalBinary",
    "TemporalFailed",
    "TemporalNotFound",
    "TemporalSettings",
    "find_temporal",
]
