"""Finds a Temporal CLI, and fetches one when there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from ._binary import TemporalBinary, UnusableBinaryError, inspect
from ._cache import Cache, Report
from ._errors import TemporalNotFound
from ._fetch import CLI_PACKAGE, CLI_VERSION, FetchError, download, go_install
from ._settings import TemporalSettings

_REMEDY = (
    "Do one of these: install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH; "
    "set WATERFLOW_TEMPORAL_BINARY to its path; install Go 1.25 or newer and start again; "
    "or point TEMPORAL_ADDRESS at a Temporal server that runs already."
)


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the search and why it was of no use."""

    place: str
    reason: str


def _not_found(tried: list[Tried]) -> TemporalNotFound:
    places = "".join(f"\n  - {entry.place}: {entry.reason}" for entry in tried)
    return TemporalNotFound(
        f"No usable Temporal server was found. Tried:{places}\n{_REMEDY}", {"tried": msgspec.to_builtins(tried)}
    )


async def find_temporal(
    settings: TemporalSettings, report: Report, environ: Mapping[str, str] = os.environ
) -> TemporalBinary:
    """Finds a Temporal CLI that runs, in this order:

    1. `settings.binary` (`WATERFLOW_TEMPORAL_BINARY`); naming one that does not run is an error, not a wish
    2. `temporal` on PATH
    3. Waterflow's cache
    4. the Temporal SDK's download into the cache, unless `settings.download` is off
    5. `go install` of the pinned version into the cache, when Go is there

    `report` gets one line of text for each place that was skipped, and every few seconds while something is fetched.
    Processes that fetch at the same time wait for each other and share the result. Raises TemporalNotFound.
    """
    if settings.binary is not None:
        return await _explicit(settings.binary)
    search = _Search(settings, report, environ)
    return await search.on_path() or await search.cached() or await search.fetched()


async def _explicit(path: Path) -> TemporalBinary:
    try:
        return await inspect(path, "setting")
    except UnusableBinaryError as error:
        place = "the setting WATERFLOW_TEMPORAL_BINARY"
        raise _not_found([Tried(place=place, reason=str(error))]) from None


class _Search:
    """One walk through the places; remembers why each was of no use."""

    def __init__(self, settings: TemporalSettings, report: Report, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._report = report
        self._environ = environ
        self._cache = Cache(settings.cache_dir)
        self._tried: list[Tried] = []

    def _skip(self, place: str, reason: str, *, say: bool = True) -> None:
        self._tried.append(Tried(place=place, reason=reason))
        if say:
            self._report(f"Temporal from {place} is skipped: {reason}")

    async def _usable(self, path: Path, place: str) -> TemporalBinary | None:
        try:
            return await inspect(path, place)
        except UnusableBinaryError as error:
            self._skip(place, str(error))
            return None

    async def on_path(self) -> TemporalBinary | None:
        path = shutil.which("temporal", path=self._environ.get("PATH", os.defpath))
        if path is None:
            self._skip("PATH", "there is no `temporal` on it", say=False)
            return None
        return await self._usable(Path(path), "PATH")

    async def cached(self) -> TemporalBinary | None:
        if not self._cache.binary.exists():
            self._skip("the cache", f"{self._cache.binary} does not exist", say=False)
            return None
        return await self._usable(self._cache.binary, "the cache")

    async def fetched(self) -> TemporalBinary:
        try:
            async with self._cache.exclusive(self._report):
                # Another process may have fetched it while we waited.
                if self._cache.binary.exists() and (found := await self._usable(self._cache.binary, "the cache")):
                    return found
                if found := await self._download() or await self._build():
                    return found
        except OSError as error:
            self._skip("the cache", f"{self._cache.folder} cannot be used: {error.strerror or error}")
        raise _not_found(self._tried)

    async def _download(self) -> TemporalBinary | None:
        place = "the Temporal SDK's download"
        if not self._settings.download:
            self._skip(place, "switched off by WATERFLOW_TEMPORAL_DOWNLOAD", say=False)
            return None
        return await self._fetch(
            place,
            lambda: download(self._cache, self._settings.download_timeout, self._report, self._environ),
        )

    async def _build(self) -> TemporalBinary | None:
        return await self._fetch(
            f"go install {CLI_PACKAGE}@{CLI_VERSION}",
            lambda: go_install(self._cache, self._settings.build_timeout, self._report, self._environ),
        )

    async def _fetch(self, place: str, fetch: Callable[[], Awaitable[None]]) -> TemporalBinary | None:
        try:
            await fetch()
        except FetchError as error:
            self._skip(place, str(error))
            return None
        return await self._usable(self._cache.binary, place)
