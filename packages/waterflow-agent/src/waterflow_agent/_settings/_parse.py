"""From text or YAML values to the types of settings. Each raises ValueError that says what is expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

Parse = Callable[[Any], Any]

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"": 1, "b": 1, "k": 1024, "kb": 1024, "m": 1024**2, "mb": 1024**2, "g": 1024**3, "gb": 1024**3}
_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})


def text(value: Any) -> str:
    """Printable text that is not empty."""
    found = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not found or not found.isprintable():
        raise ValueError("expected a text")
    return found


def path(value: Any) -> Path:
    """A path; ``~`` is the home directory."""
    return Path(text(value)).expanduser().absolute()


def switch(value: Any) -> bool:
    """On or off."""
    word = str(value).strip().lower()
    if word not in _ON | _OFF:
        raise ValueError("expected 'on' or 'off'")
    return word in _ON


def words(value: Any) -> list[str]:
    """A list, or text with commas; double ones count once."""
    items = cast("list[Any]", value) if isinstance(value, list) else str(value).split(",")
    return list(dict.fromkeys(text(item) for item in items if str(item).strip()))


def pairs(value: Any) -> dict[str, str]:
    """A mapping, or ``key=value`` with commas."""
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {text(name): text(item) for name, item in items}
    found = [word.partition("=") for word in words(value)]
    if not all(name.strip() and equals for name, equals, _ in found):
        raise ValueError("expected key=value, key=value")
    return {name.strip(): item.strip() for name, _, item in found}


def secret_patterns(value: Any) -> list[str]:
    """Patterns of secrets, as an allow-list takes them."""
    from waterflow_sdk.secrets import AllowList  # most agents have none

    return list(AllowList(words(value)).patterns)


def web_address(value: Any) -> str:
    """An address that begins with ``https://`` or ``http://``."""
    found = text(value)
    if not re.fullmatch(r"https?://[^\s/?#]+(?:/[^\s?#]*)?", found):
        raise ValueError("expected an address such as https://vault:8200")
    return found


def tags(value: Any) -> list[str]:
    """A list of tags, or a mapping of keys to values."""
    if isinstance(value, dict):
        return [f"{name}={item}" for name, item in pairs(cast("dict[str, Any]", value)).items()]
    return words(value)


def duration(value: Any) -> float:
    """Seconds as a number, or a number with ``ms s m h d``."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*", str(value))
    if not match:
        raise ValueError("expected a duration such as 30, 90s, 5m or 2h")
    return float(match[1]) * _UNITS[match[2]]


def limit(value: Any) -> float:
    """A duration that leaves some time."""
    found = duration(value)
    if not found:
        raise ValueError("expected a duration of more than 0")
    return found


def size(value: Any) -> int:
    """Bytes as a number, or a number with ``KB MB GB``, which are those with ``KiB MiB GiB``."""
    match = re.fullmatch(r"\s*(\d+)\s*([kmg]?b?)\s*", str(value).lower().replace("ib", "b"))
    if not match:
        raise ValueError("expected a size such as 1048576 or 100MB")
    return int(match[1]) * _SIZES[match[2]]


def count(value: Any) -> int:
    """A whole number from 1 to 100,000."""
    if isinstance(value, bool) or not str(value).strip().isdecimal() or not 1 <= int(value) <= 100_000:
        raise ValueError("expected a whole number from 1 to 100000")
    return int(value)


def address(value: Any) -> str:
    """``host:port``."""
    found = text(value)
    host, colon, port = found.rpartition(":")
    if not colon:
        return f"{found}:7233"
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or "/" in host:
        raise ValueError("expected host:port, such as temporal.example.com:7233")
    return found


def agent_id(value: Any) -> str | None:
    """An id; ``auto-generated`` means that one is made."""
    found = text(value)
    return None if found == "auto-generated" else found


def one_of(*choices: str) -> Parse:
    """One of some words."""

    def parse(value: Any) -> str:
        word = str(value).strip().lower()
        if word not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return word

    return parse
