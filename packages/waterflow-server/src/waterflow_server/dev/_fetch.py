"""Gets the Temporal CLI into the cache: the SDK's own download, or `go install` of a pinned version."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

from ._cache import REPORT_EVERY, Cache, Report
from ._process import describe_exit
from ._run import Completed, run

# The newest CLI that `go install` accepts: the go.mod of later ones (seen: 1.9.1) has a `replace`, which it refuses.
# It holds server 1.29.1 with SQLite and UI.
CLI_PACKAGE = "github.com/temporalio/cli/cmd/temporal"
CLI_VERSION = "v1.5.1"
MINIMUM_GO = (1, 24)
# What the CLI's go.mod asks for. An older Go builds it with a newer toolchain that it fetches by itself.
CLI_GO = (1, 25)
_GO_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")
_GO_VERSION = re.compile(r"go version go(\d+)\.(\d+)")


class FetchError(Exception):
    """One way of fetching did not work; the text is the reason."""


@contextlib.asynccontextmanager
async def _progress(report: Report, text: Callable[[], str]) -> AsyncGenerator[None]:
    started = time.monotonic()

    async def tick() -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY)
            report(f"{text()} ({time.monotonic() - started:.0f} s)")

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()


def _require_success(what: str, ended: Completed) -> None:
    if ended.exit_code != 0:
        reason = " | ".join(ended.lines[-3:])[:500]
        raise FetchError(f"{what} ended with {describe_exit(ended.exit_code)}: {reason}")


async def download(cache: Cache, within: float, report: Report, environ: Mapping[str, str]) -> None:
    """Lets the Temporal SDK download the CLI into the cache. Raises FetchError."""
    report("Downloading the Temporal CLI with the Temporal SDK")
    with cache.staging() as staging:
        command = [sys.executable, "-m", f"{__package__}._download", str(staging)]
        try:
            async with _progress(report, lambda: "Downloading the Temporal CLI"):
                ended = await run(command, within=within, environ=environ)
        except TimeoutError:
            raise FetchError(f"the download did not end within {within:.0f} s") from None
        _require_success("the download", ended)
        # The SDK names the file after itself and its version; anything else there is an unfinished download.
        found = [file for file in staging.glob("temporal-*") if file.suffix != ".downloading"]
        if not found:
            raise FetchError("the SDK said that it downloaded the CLI, but left no file")
        cache.publish(found[0])


async def find_go(environ: Mapping[str, str]) -> tuple[str, tuple[int, int]]:
    """The `go` command on PATH or in its usual places, and its version. Raises FetchError."""
    candidates = [shutil.which("go", path=environ.get("PATH", os.defpath)), *_GO_PLACES]
    go = next((place for place in candidates if place and os.access(place, os.X_OK)), None)
    if go is None:
        raise FetchError(f"Go is not on PATH and not at {' or '.join(_GO_PLACES)}")
    try:
        answer = await run([go, "version"], within=20, environ=environ)
    except TimeoutError:
        raise FetchError(f"{go} version did not answer within 20 s") from None
    found = _GO_VERSION.search(answer.output)
    if not found:
        raise FetchError(f"{go} version says {answer.output[:80]!r}")
    version = int(found[1]), int(found[2])
    if version < MINIMUM_GO:
        raise FetchError(f"{go} is Go {version[0]}.{version[1]}; {MINIMUM_GO[0]}.{MINIMUM_GO[1]} or newer is needed")
    return go, version


class _BuildProgress:
    """What `go install -v` is doing, read from its output."""

    def __init__(self) -> None:
        self._downloaded = 0
        self._compiled = 0

    def line(self, line: str) -> None:
        if line.startswith("go: downloading "):
            self._downloaded += 1
        elif line and not line.startswith("go: "):
            self._compiled += 1

    def text(self) -> str:
        if self._compiled:
            return f"Building Temporal: {self._compiled} packages compiled"
        if self._downloaded:
            return f"Building Temporal: {self._downloaded} modules downloaded"
        return "Building Temporal"


async def go_install(cache: Cache, within: float, report: Report, environ: Mapping[str, str]) -> None:
    """Builds the pinned CLI with Go into the cache, saying every 5 s how far it is. Raises FetchError."""
    go, version = await find_go(environ)
    report(f"Building Temporal {CLI_VERSION} with {go}; the first time this takes some minutes")
    progress = _BuildProgress()
    with cache.staging() as staging:
        build = {**environ, "GOBIN": str(staging)}
        if version < CLI_GO:
            build["GOTOOLCHAIN"] = "auto"
        try:
            async with _progress(report, progress.text):
                ended = await run(
                    [go, "install", "-v", f"{CLI_PACKAGE}@{CLI_VERSION}"],
                    within=within,
                    environ=build,
                    on_line=progress.line,
                )
        except TimeoutError:
            raise FetchError(f"go install did not end within {within:.0f} s") from None
        _require_success(f"go install {CLI_PACKAGE}@{CLI_VERSION}", ended)
        cache.publish(staging / Path(CLI_PACKAGE).name)
