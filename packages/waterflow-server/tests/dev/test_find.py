"""Where the Temporal CLI comes from, place by place."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from temporalio import __version__ as _sdk_version

from waterflow_server.dev import SettingInvalid, TemporalNotFound, TemporalSettings, _fetch, find_temporal

from .conftest import processes_with, until

BROKEN = "#!/bin/sh\necho 'no such instruction' >&2\nexit 3\n"
ANOTHER_PROGRAM = "#!/bin/sh\necho 'temporal 2.0, a calendar'\n"
TOO_OLD = "#!/bin/sh\necho 'temporal version 0.11.0 (Server 1.23.1, UI 2.21.3)'\n"
SDK_UNREACHABLE = "http://127.0.0.1:9"  # the discard port: nothing listens there


def program(path: Path, text: str) -> Path:
    """An executable script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def wrapper(binary: Path) -> str:
    """A script that is the real Temporal CLI for whoever calls it."""
    return f'#!/bin/sh\nexec "{binary}" "$@"\n'


def stand_in_go(binary: Path, log: Path, seconds: float = 0) -> str:
    """A `go` that says it is 1.26 and 'builds' the CLI by writing a wrapper of the real one; notes each build."""
    return f"""#!/bin/sh
if [ "$1" = version ]; then echo 'go version go1.26.8 linux/amd64'; exit; fi
echo "$@" >> '{log}'
echo 'go: downloading go.temporal.io/server v1.29.1' >&2
sleep {seconds}
printf '#!/bin/sh\\nexec "{binary}" "$@"\\n' > "$GOBIN/temporal"
"""


class Search:
    """A search with nothing but what a test puts there: an empty PATH, an empty cache, no internet, no Go modules."""

    def __init__(self, tmp_path: Path) -> None:
        self.bin = tmp_path / "bin"
        self.bin.mkdir()
        self.settings = TemporalSettings(cache_dir=tmp_path / "cache", download=False)
        self.cached = tmp_path / "cache" / "temporal" / "temporal"
        self.reports: list[str] = []
        self.environ = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "GOPROXY": "off",
            "GOMODCACHE": str(tmp_path / "modules"),
            "GOFLAGS": "-modcacherw",
            "HTTPS_PROXY": SDK_UNREACHABLE,
        }

    async def run(self) -> tuple[Path, str]:
        found = await find_temporal(self.settings, self.reports.append, self.environ)
        return found.path, found.source

    async def fail(self) -> TemporalNotFound:
        with pytest.raises(TemporalNotFound) as caught:
            await self.run()
        return caught.value

    def reason(self, error: TemporalNotFound, place: str) -> str:
        tried = error.details["tried"]
        assert isinstance(tried, list)
        return next(entry["reason"] for entry in tried if entry["place"] == place)


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path)


class TestSetting:
    async def test_goes_before_path(self, temporal_binary: Path, search: Search, tmp_path: Path) -> None:
        program(search.bin / "temporal", wrapper(temporal_binary))
        mine = program(tmp_path / "mine", wrapper(temporal_binary))
        found = await find_temporal(
            TemporalSettings(binary=mine, cache_dir=tmp_path / "cache"), search.reports.append, search.environ
        )
        assert (found.path, found.source) == (mine, "setting")
        assert found.version.split(".")[0] == "1"

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (BROKEN, "{path} --version ended with exit code 3: no such instruction"),
            (ANOTHER_PROGRAM, "{path} is not the Temporal CLI: --version says 'temporal 2.0, a calendar'"),
            (TOO_OLD, "{path} has Temporal server 1.23.1; Waterflow needs 1.24 or newer"),
            (None, "{path} does not exist"),
        ],
        ids=["broken", "another program", "too old", "missing"],
    )
    async def test_that_is_of_no_use_is_an_error(self, tmp_path: Path, text: str | None, reason: str) -> None:
        path = tmp_path / "temporal"
        if text:
            program(path, text)
        with pytest.raises(TemporalNotFound) as caught:
            await find_temporal(TemporalSettings(binary=path), lambda _: None)
        assert caught.value.message == (
            "No usable Temporal server was found. Tried:\n"
            f"  - the setting WATERFLOW_TEMPORAL_BINARY: {reason.format(path=path)}\n"
            "Do one of these: install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH; "
            "set WATERFLOW_TEMPORAL_BINARY to its path; install Go 1.25 or newer and start again; "
            "or point TEMPORAL_ADDRESS at a Temporal server that runs already."
        )

    async def test_that_is_not_executable_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "temporal"
        path.write_text(BROKEN)
        with pytest.raises(TemporalNotFound, match="temporal is not executable"):
            await find_temporal(TemporalSettings(binary=path), lambda _: None)


class TestEnvironment:
    def test_names_the_binary_and_the_folders(self) -> None:
        settings = TemporalSettings.from_environ(
            {
                "WATERFLOW_TEMPORAL_BINARY": "/opt/temporal",
                "WATERFLOW_TEMPORAL_DOWNLOAD": "off",
                "WATERFLOW_CACHE_DIR": "/var/cache/wf",
                "WATERFLOW_DATA_DIR": "/srv/wf",
            }
        )
        assert settings.binary == Path("/opt/temporal")
        assert settings.download is False
        assert settings.cache_dir == Path("/var/cache/wf")
        assert settings.data_dir == Path("/srv/wf")

    def test_follows_xdg(self) -> None:
        settings = TemporalSettings.from_environ({"XDG_CACHE_HOME": "/c", "XDG_DATA_HOME": "/d"})
        assert (settings.cache_dir, settings.data_dir) == (Path("/c/waterflow"), Path("/d/waterflow/dev"))

    def test_what_is_given_by_name_goes_first(self) -> None:
        settings = TemporalSettings.from_environ({"WATERFLOW_DATA_DIR": "/srv/wf"}, data_dir=Path("/mine"))
        assert settings.data_dir == Path("/mine")

    def test_a_switch_with_another_value_is_an_error(self) -> None:
        with pytest.raises(SettingInvalid) as caught:
            TemporalSettings.from_environ({"WATERFLOW_TEMPORAL_DOWNLOAD": "maybe"})
        assert caught.value.message == "WATERFLOW_TEMPORAL_DOWNLOAD is 'maybe'; it can be 'on' or 'off'."


class TestPath:
    async def test_is_used_before_the_cache(self, temporal_binary: Path, search: Search) -> None:
        program(search.cached, wrapper(temporal_binary))
        on_path = program(search.bin / "temporal", wrapper(temporal_binary))
        assert await search.run() == (on_path, "PATH")
        assert search.reports == []

    async def test_a_broken_one_is_named_and_skipped(self, temporal_binary: Path, search: Search) -> None:
        broken = program(search.bin / "temporal", BROKEN)
        program(search.cached, wrapper(temporal_binary))
        assert await search.run() == (search.cached, "the cache")
        assert search.reports == [
            f"Temporal from PATH is skipped: {broken} --version ended with exit code 3: no such instruction"
        ]


class TestDownload:
    async def test_without_internet_says_why(self, search: Search) -> None:
        search.settings = TemporalSettings(cache_dir=search.settings.cache_dir)
        reason = search.reason(await search.fail(), "the Temporal SDK's download")
        assert reason.startswith("the download ended with exit code 1: Failed starting Temporal dev server:")
        assert _sdk_version in reason

    async def test_has_a_time_limit(self, search: Search) -> None:
        search.settings = TemporalSettings(cache_dir=search.settings.cache_dir, download_timeout=0.001)
        assert (
            search.reason(await search.fail(), "the Temporal SDK's download") == "the download did not end within 0 s"
        )

    async def test_can_be_switched_off(self, search: Search) -> None:
        reason = search.reason(await search.fail(), "the Temporal SDK's download")
        assert reason == "switched off by WATERFLOW_TEMPORAL_DOWNLOAD"


class TestGoInstall:
    PLACE = "go install github.com/temporalio/cli/cmd/temporal@v1.5.1"

    async def test_fills_the_cache(self, temporal_binary: Path, search: Search, tmp_path: Path) -> None:
        program(search.bin / "go", stand_in_go(temporal_binary, tmp_path / "builds"))
        assert await search.run() == (search.cached, self.PLACE)
        assert (tmp_path / "builds").read_text() == "install -v github.com/temporalio/cli/cmd/temporal@v1.5.1\n"
        assert sorted(entry.name for entry in search.cached.parent.iterdir()) == ["fetch.lock", "temporal"]
        assert await search.run() == (search.cached, "the cache")

    async def test_says_how_far_it_is(
        self, temporal_binary: Path, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_fetch, "REPORT_EVERY", 0.2)
        program(search.bin / "go", stand_in_go(temporal_binary, tmp_path / "builds", seconds=1))
        await search.run()
        first, second, *_ = search.reports
        assert first == f"Building Temporal v1.5.1 with {search.bin}/go; the first time this takes some minutes"
        assert second.startswith("Building Temporal: 1 modules downloaded (")

    async def test_happens_once_for_processes_that_need_it_at_the_same_time(
        self, temporal_binary: Path, search: Search, tmp_path: Path
    ) -> None:
        program(search.bin / "go", stand_in_go(temporal_binary, tmp_path / "builds", seconds=0.5))
        found = await asyncio.gather(*(search.run() for _ in range(3)))
        assert {path for path, _ in found} == {search.cached}
        assert sorted(source for _, source in found) == [self.PLACE, "the cache", "the cache"]
        assert len((tmp_path / "builds").read_text().splitlines()) == 1

    async def test_what_a_killed_process_left_is_removed(
        self, temporal_binary: Path, search: Search, tmp_path: Path
    ) -> None:
        half_done = search.cached.parent / ".fetch-abc"
        half_done.mkdir(parents=True)
        program(search.bin / "go", stand_in_go(temporal_binary, tmp_path / "builds"))
        await search.run()
        assert not half_done.exists()

    async def test_cancelled_leaves_nothing_running(
        self, temporal_binary: Path, search: Search, tmp_path: Path
    ) -> None:
        program(search.bin / "go", stand_in_go(temporal_binary, tmp_path / "builds", seconds=77.25))
        task = asyncio.create_task(search.run())
        await until((tmp_path / "builds").exists)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not processes_with("77.25")

    async def test_an_old_go_is_of_no_use(self, search: Search) -> None:
        program(search.bin / "go", "#!/bin/sh\necho 'go version go1.19.8 linux/amd64'\n")
        assert search.reason(await search.fail(), self.PLACE) == f"{search.bin}/go is Go 1.19; 1.24 or newer is needed"

    async def test_that_fails_says_why(self, search: Search) -> None:
        program(
            search.bin / "go", "#!/bin/sh\n[ $1 = version ] && echo go version go1.26.8 || { echo no disk; exit 1; }"
        )
        reason = search.reason(await search.fail(), self.PLACE)
        assert reason == f"{self.PLACE} ended with exit code 1: no disk"

    @pytest.mark.slow
    @pytest.mark.timeout(1800)
    async def test_builds_the_real_thing(self, search: Search) -> None:
        search.environ = {**os.environ, "PATH": f"{search.bin}:/usr/local/go/bin:/usr/bin:/bin"}
        assert await search.run() == (search.cached, self.PLACE)
        assert search.cached.stat().st_size > 100 * 1024 * 1024


class TestNothing:
    async def test_names_each_place_in_order(self, search: Search) -> None:
        program(search.bin / "go", "#!/bin/sh\nexit 9\n")
        error = await search.fail()
        assert error.code == "temporal-not-found"
        assert error.message.splitlines()[:5] == [
            "No usable Temporal server was found. Tried:",
            "  - PATH: there is no `temporal` on it",
            f"  - the cache: {search.cached} does not exist",
            "  - the Temporal SDK's download: switched off by WATERFLOW_TEMPORAL_DOWNLOAD",
            f"  - {TestGoInstall.PLACE}: {search.bin}/go version says ''",
        ]

    async def test_a_cache_that_cannot_be_written_is_named(self, search: Search, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file, not a folder")
        reason = search.reason(await search.fail(), "the cache")
        assert reason == f"{tmp_path}/cache/temporal/temporal does not exist"
        assert search.reports[-1].startswith(f"Temporal from the cache is skipped: {tmp_path}/cache/temporal cannot be")
