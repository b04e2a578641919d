"""The admin key of the settings: with it the first key is made. It comes from a file or the environment, never from
the command line, which everybody on the host can read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from .._errors import ServerError
from ._secret import hash_of

ADMIN_KEY_VARIABLE = "WATERFLOW_ADMIN_KEY"

_LEAST = 32
_MOST = 512
_USABLE = re.compile(rf"[!-~]{{{_LEAST},{_MOST}}}")
_RULE = f"{_LEAST} to {_MOST} visible ASCII characters, such as `openssl rand -hex 32` makes them"


class InvalidAdminKey(ServerError):
    """The admin key cannot be used; the text says why, and not what it is."""

    code = "settings"


def read_admin_key(file: Path | None, environ: Mapping[str, str]) -> str | None:
    """The hash of the admin key; None where none is set. The environment goes before the file.

    Raises InvalidAdminKey.
    """
    if key := environ.get(ADMIN_KEY_VARIABLE, "").strip():
        return _checked(key, f"environment variable {ADMIN_KEY_VARIABLE}")
    if file is None:
        return None
    try:
        with file.open(encoding="ascii") as opened:
            key = opened.read(2 * _MOST).strip()
    except OSError as error:
        raise InvalidAdminKey(f"auth.admin_key_file: {file}: {error.strerror}") from error
    except UnicodeDecodeError:
        # Not chained: the error's own text would show what is in the file.
        raise InvalidAdminKey(f"auth.admin_key_file: {file} is no admin key: {_RULE}") from None
    return _checked(key, f"auth.admin_key_file: {file}")


def _checked(key: str, place: str) -> str:
    if _USABLE.fullmatch(key) is None:
        raise InvalidAdminKey(f"{place}: an admin key has {_RULE}")
    return hash_of(key)
