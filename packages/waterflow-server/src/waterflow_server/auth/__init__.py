"""API keys: who calls, what they may do, and where keys are kept."""

from ._access import Access, AnyoneAccess, KeyAccess
from ._admin_key import ADMIN_KEY_VARIABLE, read_admin_key
from ._caller import ANONYMOUS, Caller
from ._errors import AccessDenied, InvalidKey, KeyMissing, KeyNotFound, KeyRefused, ScopeMissing
from ._guarding import Guarding, begin_guarding
from ._known import KnownKeys
from ._service import Keys
from ._store import KeyStore
from ._table import KeyTable, StoredKey

__all__ = [
    "ADMIN_KEY_VARIABLE",
    "ANONYMOUS",
    "Access",
    "AccessDenied",
    "AnyoneAccess",
    "Caller",
    "Guarding",
    "InvalidKey",
    "KeyAccess",
    "KeyMissing",
    "KeyNotFound",
    "KeyRefused",
    "KeyStore",
    "KeyTable",
    "Keys",
    "KnownKeys",
    "ScopeMissing",
    "StoredKey",
    "begin_guarding",
    "read_admin_key",
]
