"""What an HTTP request may be, and which answers are expected. Pure: no network, no aiohttp."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from waterflow_sdk import InvalidInput

Scalar = str | int | float | bool
Status = int | str

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: names of methods and headers
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110, 5.5: what a header's value must not have
_STATUS = re.compile(r"(?P<low>[1-5]\d\d)(-(?P<high>[1-5]\d\d))?|(?P<kind>[1-5])xx")


def check_url(url: str) -> None:
    """Refuse what is no plain ``http(s)`` address; raises :class:`InvalidInput`."""
    if _CONTROL.search(url) or " " in url or "\t" in url:
        raise _invalid("url", "the URL has white space or control characters: encode them with %")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _invalid("url", f"the URL cannot be read: {error}") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise _invalid("url", f"{plain_url(url)!r} is no http:// or https:// URL with a host")
    if parts.username is not None or parts.password is not None:
        raise _invalid("url", "the URL holds a user name: give it in `auth`, where it is kept secret")


def plain_url(url: str) -> str:
    """The URL as messages show it: without user name, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def proxy_for(url: str, env: Mapping[str, str]) -> str | None:
    """The proxy that the step's environment names for a URL: ``http_proxy``, ``https_proxy``, ``no_proxy``.

    The upper-case ``HTTP_PROXY`` is not read, as in curl: in a CGI it comes from a request's header.
    """
    parts = urlsplit(url)
    proxy = env.get(f"{parts.scheme}_proxy") or (env.get("HTTPS_PROXY") if parts.scheme == "https" else None)
    none = (env.get("no_proxy") or env.get("NO_PROXY") or "").split(",")
    if not proxy or any(_is_within(parts.hostname or "", domain.strip().lower()) for domain in none):
        return None
    return proxy


def _is_within(host: str, domain: str) -> bool:
    """Whether a host is the domain or below it; ``*`` is every domain."""
    return domain == "*" or (domain != "" and f".{host}".endswith(f".{domain.removeprefix('.')}"))


def check_method(method: str) -> str:
    """The method in upper case; raises :class:`InvalidInput` for what is none."""
    if not _TOKEN.fullmatch(method):
        raise _invalid("method", f"{method!r} is no HTTP method")
    return method.upper()


def check_headers(headers: Mapping[str, Scalar]) -> dict[str, str]:
    """Header values as text; a line break in one would smuggle in another header (RFC 9110, 5.5), and is refused."""
    checked: dict[str, str] = {}
    for name, value in headers.items():
        text = as_text(value)
        if not _TOKEN.fullmatch(name):
            raise _invalid("headers", f"{name!r} is no name for a header")
        if _CONTROL.search(text):
            raise _invalid("headers", f"the value of the header {name} has a line break or control character")
        checked[name] = text
    return checked


def query_pairs(query: Mapping[str, Scalar | list[Scalar]]) -> list[tuple[str, str]]:
    """Query parameters in order; a list gives the name several times."""
    return [
        (name, as_text(item))
        for name, value in query.items()
        for item in (value if isinstance(value, list) else [value])
    ]


def as_text(value: Scalar) -> str:
    """A value as it is written in a header, query or form: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class StatusSet:
    """A set of status codes, written ``200``, ``2xx``, ``200-204`` or a list of these."""

    def __init__(self, given: Status | Sequence[Status], name: str) -> None:
        items = [given] if isinstance(given, int | str) else list(given)
        self._ranges = [_range(str(item), name) for item in items]
        self._text = " or ".join(str(item) for item in items)

    def __contains__(self, status: int) -> bool:
        return any(low <= status <= high for low, high in self._ranges)

    def __str__(self) -> str:
        return self._text


def _range(text: str, name: str) -> tuple[int, int]:
    match = _STATUS.fullmatch(text.strip().lower())
    if match is None:
        raise _invalid(name, f"{text!r} is no status: write 200, 2xx or 200-204")
    if match["kind"]:
        return int(match["kind"]) * 100, int(match["kind"]) * 100 + 99
    return int(match["low"]), int(match["high"] or match["low"])


def _invalid(name: str, message: str) -> InvalidInput:
    return InvalidInput(message, details={"input": name})
