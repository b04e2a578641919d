"""The Waterflow server: REST API, interpreter, catalog and log store over one Temporal namespace.

``create_app`` makes the ASGI application from services, ``load_settings`` reads the settings; both are imported when
they are first used, because the interpreter's workflows import this package too and need neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._errors import ServerError
    from .api import Services
    from .app import create_app
    from .settings import Settings
    from .settings import load as load_settings

__all__ = ["ServerError", "Services", "Settings", "create_app", "load_settings"]

_HOMES = {
    "ServerError": ("._errors", "ServerError"),
    "Services": (".api", "Services"),
    "Settings": (".settings", "Settings"),
    "create_app": (".app", "create_app"),
    "load_settings": (".settings", "load"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module, __name__), attribute)
