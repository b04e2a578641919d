"""Secrets by reference: where a value is read (environment, file, Vault), who may read what, and the opaque segment
that stands for a value which only agents know.

Server and agent share it; node packs have no use for it: what a step gets is resolved.
"""

from ._allow import AllowList
from ._errors import SecretError, SecretMissing, SecretNotAllowed, SecretReferenceInvalid, SecretUnavailable
from ._reference import SecretReference, SourceKind
from ._segment import Segment, holds_segment, make_segment, replace_segments, segments_in
from ._sources import SecretSources
from ._vault import VaultReader, VaultSettings

__all__ = [
    "AllowList",
    "SecretError",
    "SecretMissing",
    "SecretNotAllowed",
    "SecretReference",
    "SecretReferenceInvalid",
    "SecretSources",
    "SecretUnavailable",
    "Segment",
    "SourceKind",
    "VaultReader",
    "VaultSettings",
    "holds_segment",
    "make_segment",
    "replace_segments",
    "segments_in",
]
