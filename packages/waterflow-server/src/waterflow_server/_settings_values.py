"""What the value of a setting has to be: each function gives it checked or completed, and raises ValueError if not."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from waterflow_dsl import parse_duration
from waterflow_sdk.secrets import AllowList

from ._logging import LEVELS


def address(value: str) -> str:
    """``host``, ``host:port`` or ``[IPv6]:port``, without a scheme; 7233 is Temporal's port."""
    given = value.removeprefix("grpc://").removeprefix("http://").rstrip("/")
    host, colon, number = given.rpartition(":")
    if not colon or given.endswith("]"):
        host, number = given, "7233"
    if not host or any(letter.isspace() or letter == "/" for letter in host):
        raise ValueError(value)
    return f"{host}:{port(int(number))}"


def port(value: int) -> int:
    """1 to 65535."""
    if not 1 <= value <= 65535:
        raise ValueError(value)
    return value


def level(value: str) -> str:
    """A log level, in lower case."""
    if value.lower() not in LEVELS:
        raise ValueError(value)
    return value.lower()


def events(value: int) -> int:
    """How long a history may become: 20 to 40,000 events."""
    if not 20 <= value <= 40_000:
        raise ValueError(value)
    return value


def store(value: str) -> str:
    """``files`` or ``s3``."""
    if value not in ("files", "s3"):
        raise ValueError(value)
    return value


def endpoint(value: str) -> str:
    """The address of an S3-compatible service, without a slash at its end."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(value)
    return value.rstrip("/")


def text(value: str) -> str:
    """Text that is not empty, without blanks around it."""
    if not value.strip():
        raise ValueError(value)
    return value.strip()


def seconds(value: float) -> float:
    """More than nothing, a day at most."""
    if not 0 < value <= 86_400:
        raise ValueError(value)
    return value


def retention(value: str) -> timedelta:
    """A duration of at least a day, as Temporal wants it of a namespace."""
    retention = timedelta(seconds=parse_duration(value))
    if not timedelta(days=1) <= retention <= timedelta(days=3650):
        raise ValueError(value)
    return retention


def path(value: str) -> str:
    """A path, made absolute; ``~`` is the user's home."""
    return str(Path(text(value)).expanduser().absolute())


def patterns(value: str) -> tuple[str, ...]:
    """Names and paths that may be read, with commas between them."""
    return AllowList(word.strip() for word in value.split(",") if word.strip()).patterns


def web_address(value: str) -> str:
    """``http://`` or ``https://``, a host, and perhaps a path."""
    if re.fullmatch(r"https?://[^\s/?#]+(?:/[^\s?#]*)?", value) is None:
        raise ValueError(value)
    return value
